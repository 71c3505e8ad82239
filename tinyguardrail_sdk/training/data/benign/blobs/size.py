"""How long machine-looking data is: mostly short, sometimes pages."""

from __future__ import annotations

import random
from collections.abc import Callable

Blob = Callable[[random.Random], str]

LONGEST = 3_000  # characters; a paste of more than the guard's windows teaches nothing new


def many(rng: random.Random, least: int, most: int) -> int:
    """A count in `least..most`: mostly of uniform logarithm, so that short ones are common."""
    if rng.random() < 0.2:
        return rng.randint(least, most)
    return min(most, int(least * (most / least) ** rng.random() + 0.5))


def lines(rng: random.Random, one: Blob, least: int, most: int) -> str:
    """Several lines, each drawn afresh, of at most `LONGEST` characters together."""
    made: list[str] = []
    room = LONGEST
    for _ in range(many(rng, least, most)):
        made.append(one(rng))
        room -= len(made[-1]) + 1
        if room < 0:
            break
    return "\n".join(made)


def letters(rng: random.Random, alphabet: str, least: int, most: int) -> str:
    """A string of random letters of an alphabet."""
    return "".join(rng.choices(alphabet, k=many(rng, least, most)))
