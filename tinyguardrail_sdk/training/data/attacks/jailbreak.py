"""Jailbreaks: personas, modes, fiction, suppression, pressure, configuration and suffixes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.attacks import goals, suffix
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen
from tinyguardrail_sdk.training.data.schema import Example

_SLOTS = ("goal", "clause", "soup", "goalsoup")
_LANGUAGES = {"german": "de", "french": "fr", "spanish": "es", "chinese": "zh", "hindi": "hi"}


@cache
def _parts() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("base", "jailbreak", "jailbreak_long", slots=_SLOTS)
    return grammar, Frames(grammar, "jailbreak")


def generate(
    rng: random.Random, count: int, payloads: Sequence[str] = (), *, heldout: bool = False
) -> Iterator[Example]:
    """Yield `count` jailbreaks around `payloads` (harmful requests) and our own goals."""
    grammar, frames = _parts()
    for _ in range(count):
        payload = goals.pick(rng, payloads, heldout=heldout)
        symbol, technique = frames.pick(rng, heldout=heldout)
        grown = grammar.grow(
            rng,
            symbol,
            noise=roughen,
            goal=payload,
            clause=goals.as_clause(payload),
            soup=suffix.soup(rng),
            goalsoup=suffix.inside(rng, payload),
        )
        yield Example(
            text=grown.text,
            label=Label.JAILBREAK,
            technique=technique,
            language=_LANGUAGES.get(symbol.rpartition("/")[2], "en"),
            family=frames.family(symbol),
            span=(0, len(grown.text)),
        )
