"""The scenes that jailbreaks hide in, around a harmless wish and around a harmful one.

A novel, a game or a hypothetical question is no attack; what is asked inside it may be one. Without
the harmless half the scene alone would be learnt as the attack, without the other half its absence.
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
_TAME_SHARE = 0.5  # attacks whose scene has no gag, no broken rules


@cache
def _grammar() -> Grammar:
    return Grammar.load("benign_vocab", "scenes")


def generate(
    rng: random.Random,
    count: int,
    *,
    payloads: Sequence[str] = (),
    collected: Sequence[str] = (),
    heldout: bool = False,
) -> Iterator[Example]:
    """Yield `count` scenes, every other one around a harmful request of `payloads` or our own.

    A harmless wish, of our own or a `collected` one of users, and the request after it stand in
    one and the same scene: half of the pairs differ in nothing else but in typing errors.
    """
    for index in range(count):
        if index % 2 == 0:
            seed = rng.random()
            yield _scene(rng, seed, _wish(rng, collected, heldout), Label.BENIGN, heldout)
        else:
            payload = goals.pick(rng, payloads, heldout=heldout)
            yield _scene(rng, seed, payload, Label.JAILBREAK, heldout)


def _wish(rng: random.Random, collected: Sequence[str], heldout: bool) -> str:
    if collected and rng.random() < _COLLECTED_SHARE:
        return rng.choice(collected).strip()
    return rng.choice(_WISHES).one(rng, heldout=heldout).text


def _scene(rng: random.Random, seed: float, wish: str, label: Label, heldout: bool) -> Example:
    """The scene that grows from `seed`, around a wish."""
    tame = label is Label.BENIGN or rng.random() < _TAME_SHARE
    slots = _tame_slots(random.Random(seed)) if tame else {}
    clause = goals.as_clause(wish)
    scene = jailbreak.scene(random.Random(seed), heldout=heldout, goal=wish, clause=clause, **slots)
    return Example(
        text=(text := roughen(rng, scene.text)),
        label=label,
        technique=f"scene/{scene.technique}",
        family=scene.family,
        span=None if label is Label.BENIGN else (0, len(text)),
    )


def _tame_slots(rng: random.Random) -> dict[str, str]:
    tone, limits, start = (
        _grammar().grow(rng, symbol).text for symbol in ("sc_tone", "sc_limits", "sc_start")
    )
    return {"noapology": tone, "rules": limits, "prefix": tone, "surein": start}
