"""Plainly harmful requests, named but never explained: the payloads when no pool is given.

They carry no operational detail. A request alone is not an attack for this guard; the jailbreak
and obfuscation generators wrap it into one. Requests are parted like frames: those of held-out
attacks never stand in training ones.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Sequence
from functools import cache

from tinyguardrail_sdk.training.data.grammar import Grammar

_HELD_OUT_PER_CENT = 8
_WORD = re.compile(r"\w+")


def plain_words(text: str) -> str:
    """The words alone, in lower case: equal for copies that differ in case, blanks and marks."""
    return " ".join(_WORD.findall(text.lower()))


def is_held_out(payload: str) -> bool:
    """Whether a payload is kept for testing, by its words alone; stable like that of a frame."""
    key = f"payload/{plain_words(payload)}".encode("utf-8", "surrogatepass")
    return zlib.crc32(key) % 100 < _HELD_OUT_PER_CENT


@cache
def _grammar() -> Grammar:
    return Grammar.load("base", "goals")


def goal(rng: random.Random) -> str:
    """One request, as a sentence or a question."""
    text = _grammar().grow(rng, "goal").text
    text = text[:1].upper() + text[1:]
    return text if text.endswith("?") or rng.random() < 0.6 else text + "."


def pick(rng: random.Random, payloads: Sequence[str], *, heldout: bool = False) -> str:
    """A payload of the caller's, or our own: three in ten even where the caller has some.

    The caller gives payloads of one side of the split; our own are drawn until one is of it.
    """
    if payloads and rng.random() < 0.7:
        return rng.choice(payloads).strip()
    while is_held_out(text := goal(rng)) != heldout:
        pass
    return text


def phrase(
    rng: random.Random, grammar: Grammar, symbols: Sequence[str], *, heldout: bool = False
) -> str:
    """What one of the symbols grows, of one side of the split; without its stop."""
    while True:
        text = grammar.grow(rng, rng.choice(symbols)).text.strip().rstrip(".")
        if is_held_out(text) == heldout:
            return text


def as_clause(text: str) -> str:
    """A request reshaped to follow 'to' or a colon: lower first letter, no final stop."""
    text = text.strip().rstrip(".!? ")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
