"""Data that looks encoded and is not an attack, in the hands of users, documents and tools."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks.frames import is_held_out
from tinyguardrail_sdk.training.data.benign.blobs import BLOBS, GROUPS, LONGEST
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen
from tinyguardrail_sdk.training.data.schema import Example

_GROUP = {kind: group for group, kinds in GROUPS.items() for kind in kinds}
# How often there is nothing but the data: tools return it bare, users seldom.
_BARE = {Source.USER: 0.25, Source.DOCUMENT: 0.3, Source.TOOL: 0.55}
_LEAST_BARE = 24  # characters; a single word alone tells nothing
_WEIGHTS = {Source.USER: 5, Source.DOCUMENT: 3, Source.TOOL: 3}


@cache
def _grammar() -> Grammar:
    return Grammar.load("benign_vocab", "carriers", "data_like", slots=("data", "kind"))


def _family(kind: str) -> str:
    return f"data_like:{_GROUP[kind]}/{kind.replace(' ', '_')}"


@cache
def kinds(*, heldout: bool) -> tuple[str, ...]:
    """The kinds of data on one side of the split: it is they that must not come back."""
    return tuple(kind for kind in BLOBS if is_held_out(_family(kind)) == heldout)


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Make `count` texts around random data of `kinds`."""
    for _ in range(count):
        kind = rng.choice(kinds(heldout=heldout))
        source = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        text = BLOBS[kind](rng)[:LONGEST].strip("\n")
        if rng.random() >= _BARE[source] or len(text) < _LEAST_BARE:
            noise = roughen if source is Source.USER else None
            symbol = f"{_symbol(kind)}_{source}"
            text = _grammar().grow(rng, symbol, noise=noise, data=text, kind=kind).text
        family = _family(kind)
        yield Example(text, Label.BENIGN, source, family.replace(":", "/"), family=family)


def _symbol(kind: str) -> str:
    return "play" if _GROUP[kind] == "play" else "data"
