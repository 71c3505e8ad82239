"""Elaborate prompts around a harmless and around a harmful wish, in one and the same wording.

Personas, invented worlds, staged dialogues, experts, pleas and numbered rules say nothing about
what is asked inside them. Every text comes with a twin from the same frame and the same conditions,
"stay in character" and "no disclaimers" among them, so that only the wish can tell the two apart.
Many harmless wishes speak of harmful deeds: why people do them, what the law says, how to prevent
them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.attacks import goals
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.woven import gerund

_TELLING = ("act", "acting", "thing", "craft", "crafting")  # what wishes are made of
_WISH = ("about", "ask", "Ask")  # what frames are made around
_THINGS = ("harmtext", "harmtext", "harmtext", "malware")


@cache
def _wishes() -> Grammar:
    wishes = ("wrapped_wishes", "wrapped_harm", "wrapped_more_wishes")
    return Grammar.load("base", "goals", "woven", *wishes, slots=_TELLING)


@cache
def _frames() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("base", "wrapped", "wrapped_more", slots=_WISH)
    return grammar, Frames(grammar, "wrapped")


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield `count` texts, harmless ones and jailbreaks in turn."""
    grammar, frames = _frames()
    for index in range(count):
        if index % 2 == 0:
            frame, technique = frames.pick(rng, heldout=heldout)
            seed = rng.random()
        label = (Label.BENIGN, Label.JAILBREAK)[index % 2]
        wish = _wish(rng, label, heldout)
        text = roughen(rng, _grown(random.Random(seed), grammar, frame, wish))
        yield Example(
            text,
            label,
            technique=f"wrapped/{technique}",
            family=frames.family(frame),
            span=None if label is Label.BENIGN else (0, len(text)),
        )


def _grown(rng: random.Random, grammar: Grammar, frame: str, wish: dict[str, str]) -> str:
    """The frame around its wish; half of them begin with a scene, half go on after it."""
    before, after = rng.random() < 0.5, rng.random() < 0.5
    symbols = ["wr_prelude"] * before + [frame] + ["wr_closing"] * after
    joint = rng.choice((" ", " ", "\n", "\n\n"))
    return joint.join(grammar.grow(rng, symbol, noise=None, **wish).text for symbol in symbols)


def _wish(rng: random.Random, label: Label, heldout: bool) -> dict[str, str]:
    """A wish as noun phrase, as order and as order with a capital."""
    prefix = "wr" if label is Label.BENIGN else "wx"
    act, thing = (
        goals.phrase(rng, _wishes(), symbols, heldout=heldout) for symbols in (("deed",), _THINGS)
    )
    craft = goals.phrase(rng, _wishes(), ("wv_harmless_act",))
    told = {"act": act, "acting": gerund(act), "thing": thing,
            "craft": craft, "crafting": gerund(craft)}  # fmt: skip
    about, ask = (
        _wishes().grow(rng, f"{prefix}_{form}", noise=None, **told).text.rstrip(".")
        for form in ("about", "ask")
    )
    return {"about": about, "ask": ask, "Ask": ask[:1].upper() + ask[1:]}
