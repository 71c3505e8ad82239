"""The scenes that jailbreaks hide in, around a harmless wish.

A novel, a game or a hypothetical question is no attack; what is asked inside it may be one. Without
these texts the scene alone would be learnt as the attack.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.attacks import goals, jailbreak
from tinyguardrail_sdk.training.data.benign.grown import Grown
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen
from tinyguardrail_sdk.training.data.schema import Example


def _clean(_: random.Random, text: str) -> str:
    return text  # the scene around the wish is roughened as a whole


_WISHES = (
    Grown("edgy", ("carriers", "edgy", "edgy_more", "edgy_long"), noise=_clean, context=0.0),
    Grown("everyday", ("carriers", "snippets", "everyday"), noise=_clean, context=0.0),
)
_COLLECTED_SHARE = 0.6


@cache
def _grammar() -> Grammar:
    return Grammar.load("benign_vocab", "scenes")


def generate(
    rng: random.Random, count: int, *, collected: Sequence[str] = (), heldout: bool = False
) -> Iterator[Example]:
    """Yield `count` scenes around wishes of our own and `collected` benign ones of users."""
    for _ in range(count):
        if collected and rng.random() < _COLLECTED_SHARE:
            wish = rng.choice(collected).strip()
        else:
            wish = rng.choice(_WISHES).one(rng, heldout=heldout).text
        tone, limits, start = (
            _grammar().grow(rng, symbol).text for symbol in ("sc_tone", "sc_limits", "sc_start")
        )
        scene = jailbreak.scene(
            rng,
            heldout=heldout,
            goal=wish,
            clause=goals.as_clause(wish),
            noapology=tone,
            rules=limits,
            prefix=tone,
            surein=start,
        )
        yield Example(
            roughen(rng, scene.text),
            Label.BENIGN,
            technique=f"scene/{scene.technique}",
            family=scene.family,
        )
