"""Requests whose story and subject are one: the method is asked for inside the fiction.

Three texts come together: a frame that wants the method on the page, once around a harmless and
once around a harmful subject, and a frame that speaks of a harmful subject and wants no method.
Only the second is a jailbreak. A harmless request is never gagged, nor is every harmful one: being
told to leave warnings out must not be what the label hangs on.
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

_SLOTS = ("act", "acting", "thing")
_HARMFUL = {"act": ("deed",), "thing": ("harmtext", "harmtext", "malware")}
_TAME_SHARE = 0.5  # jailbreaks that are told nothing about warnings and refusals
_HARMLESS = {"act": ("wv_harmless_act",), "thing": ("wv_harmless_thing",)}
# Verbs whose last letter doubles, or that gain one, before -ing.
_IRREGULAR = {
    "rob": "robbing", "rig": "rigging", "scam": "scamming", "run": "running", "get": "getting",
    "jam": "jamming", "drug": "drugging", "kidnap": "kidnapping", "ship": "shipping",
    "skim": "skimming", "traffic": "trafficking", "set": "setting",
    "win": "winning", "wrap": "wrapping", "knit": "knitting", "plan": "planning", "dye": "dyeing",
    "program": "programming", "commit": "committing", "shut": "shutting", "trap": "trapping",
}  # fmt: skip


@cache
def _grammar() -> Grammar:
    return Grammar.load("base", "goals", "woven", "woven_scenarios", "woven_shapes", slots=_SLOTS)


@cache
def _frames(part: str) -> Frames:
    return Frames(_grammar(), "woven", f"frame:{part}/")


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield `count` texts, a third of them jailbreaks."""
    for index in range(count):
        if index % 3 == 0:
            asked, _ = _frames("asked").pick(rng, heldout=heldout)
            seed = rng.random()
            yield _text(rng, seed, asked, harmful=False, label=Label.BENIGN, heldout=heldout)
        elif index % 3 == 1:
            yield _text(rng, seed, asked, harmful=True, label=Label.JAILBREAK, heldout=heldout)
        else:
            told, _ = _frames("told").pick(rng, heldout=heldout)
            seed = rng.random()
            yield _text(rng, seed, told, harmful=True, label=Label.BENIGN, heldout=heldout)


def _text(
    rng: random.Random, seed: float, frame: str, *, harmful: bool, label: Label, heldout: bool
) -> Example:
    subject = _subject(rng, harmful=harmful, heldout=heldout)
    if label is Label.BENIGN or rng.random() < _TAME_SHARE:
        subject["ws_gag"] = _grammar().grow(random.Random(seed), "ws_tame").text
    text = roughen(rng, _grown(random.Random(seed), frame, subject))
    return Example(
        text,
        label,
        technique="woven",
        family=f"woven:{frame.removeprefix('frame:')}",
        span=None if label is Label.BENIGN else (0, len(text)),
    )


def _grown(rng: random.Random, frame: str, subject: dict[str, str]) -> str:
    """The frame around its subject, half of them with a setting before and a wish after it."""
    before, after = rng.choice((0, 0, 0, 1, 2, 3)), rng.choice((0, 0, 0, 1, 2))
    symbols = ["wv_setting"] * before + [frame] + ["wv_closing"] * after
    joint = rng.choice((" ", " ", "\n", "\n\n"))
    grammar = _grammar()
    return joint.join(grammar.grow(rng, each, noise=None, **subject).text for each in symbols)


def _subject(rng: random.Random, *, harmful: bool, heldout: bool) -> dict[str, str]:
    symbols = _HARMFUL if harmful else _HARMLESS
    act, thing = (
        goals.phrase(rng, _grammar(), symbols[slot], heldout=harmful and heldout)
        for slot in ("act", "thing")
    )
    return {"act": act, "acting": gerund(act), "thing": thing}


def gerund(clause: str) -> str:
    """'break into a house' as 'breaking into a house': a verb first, or an adverb and a verb."""
    verb, _, rest = clause.partition(" ")
    if verb.endswith("ly"):
        return f"{verb} {gerund(rest)}"
    if verb in _IRREGULAR:
        verb = _IRREGULAR[verb]
    elif verb.endswith("e") and not verb.endswith("ee"):
        verb = verb[:-1] + "ing"
    else:
        verb += "ing"
    return f"{verb} {rest}".strip()
