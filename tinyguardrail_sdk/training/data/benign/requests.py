"""Ordinary requests: benign from a user, an injection where a document makes them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.carriers import phrase
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen
from tinyguardrail_sdk.training.data.schema import Example

_WITH_TEXT = 1 / 3


@cache
def _grammar() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("benign_vocab", "carriers", "requests", "requests_verdict")
    return grammar, Frames(grammar, "request")


def request(rng: random.Random, *, heldout: bool = False) -> tuple[str, str]:
    """One ordinary request and its frame family."""
    grammar, frames = _grammar()
    symbol, _ = frames.pick(rng, heldout=heldout)
    return grammar.grow(rng, symbol).text, frames.family(symbol)


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Ordinary requests as their user sends them."""
    for _ in range(count):
        yield asked(rng, *request(rng, heldout=heldout))


def asked(rng: random.Random, text: str, family: str) -> Example:
    """A request as its user sends it, one in three with the text that it is about."""
    if rng.random() < _WITH_TEXT:
        text = _with_text(rng, text)
    return Example(roughen(rng, text), Label.BENIGN, technique="request", family=family)


def _with_text(rng: random.Random, text: str) -> str:
    about = " ".join(phrase(rng, "sentence") for _ in range(rng.randint(1, 4)))
    joint = rng.choice(("\n\n", "\n", "\n---\n", " "))
    return joint.join((text, about) if rng.random() < 0.7 else (about, text))
