"""Plainly harmful requests, named but never explained: the payloads when no pool is given.

They carry no operational detail. A request alone is not an attack for this guard; the jailbreak
and obfuscation generators wrap it into one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache

from tinyguardrail_sdk.training.data.grammar import Grammar


@cache
def _grammar() -> Grammar:
    return Grammar.load("base", "goals")


def goal(rng: random.Random) -> str:
    """One request, as a sentence or a question."""
    text = _grammar().grow(rng, "goal").text
    text = text[:1].upper() + text[1:]
    return text if text.endswith("?") or rng.random() < 0.6 else text + "."


def pick(rng: random.Random, payloads: Sequence[str]) -> str:
    """A payload of the caller's, or our own: three in ten even where the caller has some."""
    if payloads and rng.random() < 0.7:
        return rng.choice(payloads).strip()
    return goal(rng)


def as_clause(text: str) -> str:
    """A request reshaped to follow 'to' or a colon: lower first letter, no final stop."""
    text = text.strip().rstrip(".!? ")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
