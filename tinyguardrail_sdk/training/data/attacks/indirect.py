"""Instructions to be planted in documents and tool results, from loud to quite ordinary."""

from __future__ import annotations

import random
from functools import cache

from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen

_SOFT = "frame:soft/"


@cache
def _parts() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("base", "indirect", "indirect_more", "indirect_soft")
    return grammar, Frames(grammar, "indirect")


def instruction(rng: random.Random, *, heldout: bool = False) -> tuple[str, str]:
    """One instruction and its family.

    Families named `indirect:quiet/...` have no lead-in at all and would be ordinary requests
    from a user: only their place makes them attacks.
    """
    return _grown(rng, _parts()[1].pick(rng, heldout=heldout)[0])


def soft(rng: random.Random, *, heldout: bool = False) -> tuple[str, str]:
    """One that asks for a small thing, `indirect:soft/...`, and its family."""
    frames = _parts()[1].all(heldout=heldout)
    return _grown(rng, rng.choice([symbol for symbol in frames if symbol.startswith(_SOFT)]))


def _grown(rng: random.Random, symbol: str) -> tuple[str, str]:
    grammar, frames = _parts()
    # Documents are edited text: chat spelling and typos are the exception in them.
    noise = roughen if rng.random() < 0.25 else None
    return grammar.grow(rng, symbol, noise=noise).text, frames.family(symbol)
