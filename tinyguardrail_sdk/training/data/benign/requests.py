"""Ordinary requests: benign from a user, an injection where a document makes them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen
from tinyguardrail_sdk.training.data.schema import Example


@cache
def _grammar() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("benign_vocab", "carriers", "requests")
    return grammar, Frames(grammar, "request")


def request(rng: random.Random, *, heldout: bool = False) -> tuple[str, str]:
    """One ordinary request and its frame family."""
    grammar, frames = _grammar()
    symbol, _ = frames.pick(rng, heldout=heldout)
    return grammar.grow(rng, symbol).text, frames.family(symbol)


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Ordinary requests as their user sends them."""
    for _ in range(count):
        text, family = request(rng, heldout=heldout)
        yield Example(roughen(rng, text), Label.BENIGN, technique="request", family=family)
