"""Instructions to be planted in documents and tool results, from loud to quite ordinary."""

from __future__ import annotations

import random
from functools import cache

from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen


@cache
def _parts() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("base", "indirect", "indirect_more")
    return grammar, Frames(grammar, "indirect")


def instruction(rng: random.Random, *, heldout: bool = False) -> tuple[str, str]:
    """One instruction and its family.

    Families named `indirect:quiet/...` have no lead-in at all and would be ordinary requests
    from a user: only their place makes them attacks.
    """
    grammar, frames = _parts()
    symbol, _ = frames.pick(rng, heldout=heldout)
    # Documents are edited text: chat spelling and typos are the exception in them.
    noise = roughen if rng.random() < 0.25 else None
    return grammar.grow(rng, symbol, noise=noise).text, frames.family(symbol)
