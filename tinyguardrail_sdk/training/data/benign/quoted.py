"""Model outputs that speak about an attack: refusals, warnings and reports, most quoting it.

A guard that reads outputs must tell an answer that carries an attack on from one that names it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks import injection
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.schema import Example

_WRAPPED = re.compile(r"""^(["'“(*]+)(.*?)["'”)*]+$""", re.DOTALL)


@cache
def _grammar() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("benign_vocab", "carriers", "quoted", slots=("attack",))
    return grammar, Frames(grammar, "quoted")


def quote(rng: random.Random, attack: str, *, heldout: bool = False) -> Example:
    """An output about `attack`, quoted or only hinted at."""
    grammar, frames = _grammar()
    symbol, technique = frames.pick(rng, heldout=heldout)
    # Inside quotation marks there are none of their own, and no stop at the end.
    words = _WRAPPED.sub(r"\2", attack).rstrip(".").replace('"', "'")
    return Example(
        grammar.grow(rng, symbol, attack=words).text,
        Label.BENIGN,
        Source.OUTPUT,
        technique=f"quoted/{technique}",
        family=frames.family(symbol),
    )


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Outputs about attacks of one clause."""
    for _ in range(count):
        yield quote(rng, injection.bare(rng, heldout=heldout).text, heldout=heldout)
