"""Languages other than English: harmless texts and attacks of the same language, side by side.

A language must never predict the label, so each has about as many attacks as harmless rows, and
they stand in the same places: alone, and in its documents, tool results and answers. The
two languages of an attack and of its document may differ.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.training.data import orders, twins
from tinyguardrail_sdk.training.data.attacks import injection
from tinyguardrail_sdk.training.data.benign import tongues
from tinyguardrail_sdk.training.data.carriers import Carrier, grow_carrier
from tinyguardrail_sdk.training.data.orders import Order
from tinyguardrail_sdk.training.data.planting import format_of
from tinyguardrail_sdk.training.data.schema import Example

# Weight, and share of draws that are attacks; half of those come as pairs. With what the other
# generators and the pools make, each language has as many attacks as harmless texts; those of
# which they make many harmless ones get mostly attacks here.
_SHARES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "fr": (25, 0.63),
        "es": (23, 0.68),
        "de": (23, 0.71),
        "zh": (20, 0.85),
        "hi": (17, 0.68),
        "ru": (14, 0.85),
        "ko": (13, 0.78),
        "it": (11, 0.7),
        **dict.fromkeys(("pt", "ja", "ar", "tr", "pl", "nl", "uk", "vi", "id"), (13, 0.65)),
    }
)
_BARE_SHARE = 0.3
_ADDRESSED_SHARE = 0.4  # of what is planted
_MOST_CHARS = 600  # a longer instruction is a document itself
_TRIES = 40  # some languages hold no document out


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield at least `count` rows, whole pairs, about every other one an attack."""
    languages, weights = list(_SHARES), [weight for weight, _ in _SHARES.values()]
    made = 0
    while made < count:
        language = rng.choices(languages, weights)[0]
        rows = _rows(rng, language, heldout)
        made += len(rows)
        yield from rows


def _rows(rng: random.Random, language: str, heldout: bool) -> list[Example]:
    if rng.random() >= _SHARES[language][1]:
        return list(tongues.grown(language)(rng, 1, heldout=heldout))
    if rng.random() < 0.5:
        return [_direct(rng, language, heldout)]
    return _planted(rng, language, heldout)


def _direct(rng: random.Random, language: str, heldout: bool) -> Example:
    draw = injection.bare if rng.random() < _BARE_SHARE else injection.injection
    return draw(rng, language=language, heldout=heldout)


def _planted(rng: random.Random, language: str, heldout: bool) -> list[Example]:
    """An attacked document and its clean twin; two in five times of two languages."""
    draw = rng.random()
    carrier, order = grow_carrier(rng, heldout=heldout), _order(rng, language, heldout)
    if draw < 0.8:
        carrier = _carrier(rng, language, heldout) or carrier
    if draw < 0.2:
        order = orders.loud(rng, heldout=heldout)
    pair = twins.pair_of(carrier, rng, order, heldout)
    return [replace(e, technique=f"tongue_{e.technique}", language=language) for e in pair]


def _order(rng: random.Random, language: str, heldout: bool) -> Order:
    while True:
        if rng.random() < _ADDRESSED_SHARE:
            example = injection.addressed(rng, language, heldout=heldout)
        else:
            example = _direct(rng, language, heldout)
        start, end = example.span or (0, len(example.text))
        text = example.text[start:end].strip()
        if len(text) <= _MOST_CHARS:
            return Order(text, example.family, "indirect_direct", example.language)


def _carrier(rng: random.Random, language: str, heldout: bool) -> Carrier | None:
    for _ in range(_TRIES):
        for example in tongues.grown(language)(rng, 1, heldout=heldout):
            if example.source is not Source.USER:
                form = format_of(example.text)
                return Carrier(example.text, form, example.source, example.family, language)
    return None
