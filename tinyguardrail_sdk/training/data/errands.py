"""Orders with a concrete errand, and what people ask of each other where such orders stand.

Hijacks want a tool used: money sent, a file deleted, somebody invited. Small tasks are harmless
from a user and have no place in a document.
"""

from __future__ import annotations

import random
from functools import cache

from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.orders import Order


@cache
def _grammar() -> Grammar:
    return Grammar.load("benign_vocab", "carriers", "snippets", "errands", "errands_more")


@cache
def _frames(part: str) -> Frames:
    return Frames(_grammar(), "errand", f"frame:{part}/")


def hijack(rng: random.Random, *, heldout: bool = False) -> Order:
    """An order to use a tool for somebody else, bare or in one of many wrappers."""
    return _order(rng, "hijack", heldout)


def small_task(rng: random.Random, *, heldout: bool = False) -> Order:
    """A small task that has nothing to do with the text around it."""
    return _order(rng, "small", heldout)


def for_people(rng: random.Random) -> str:
    """A favour, task or question that names the person it is for, or when it is due."""
    return _grammar().grow(rng, "er_human").text


def _order(rng: random.Random, part: str, heldout: bool) -> Order:
    symbol, technique = _frames(part).pick(rng, heldout=heldout)
    text = _grammar().grow(rng, symbol).text
    return Order(text, _frames(part).family(symbol), f"errand_{technique}")
