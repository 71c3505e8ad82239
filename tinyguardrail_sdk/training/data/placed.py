"""Pairs of one document, alike in everything but what stands at one place of it.

The attacked one has an order there. The clean one has nothing, an ordinary sentence, or something
asked of a person; the last never more often than there are orders.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data import addressed, errands, orders
from tinyguardrail_sdk.training.data.benign.requests import asked, request
from tinyguardrail_sdk.training.data.carriers import Carrier, grow_carrier, grow_short, phrase
from tinyguardrail_sdk.training.data.orders import Order
from tinyguardrail_sdk.training.data.planting import plant, plant_along
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.sheets import grow_long_sheet, grow_sheet, question
from tinyguardrail_sdk.training.data.technical import grow_technical

_ADDRESSED_SHARE = 0.3  # of pairs: the clean one asks a person for what the other orders
_DECOY_SHARE, _SENTENCE_SHARE = 0.45, 0.2  # of clean documents; the others are as they were

_BY_SOURCE = "by_source"
_WHOLE_SHARE = 0.3


def small_tasks(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield at least `count` mails, tables, code and prose, every other one with a small task."""
    for _ in range(0, count, 2):
        carrier = _ordinary(rng, heldout)
        if rng.random() < _ADDRESSED_SHARE:
            order, stead = addressed.order_and_stead(rng, heldout=heldout)
        else:
            order, stead = errands.small_task(rng, heldout=heldout), _stead(rng)
        yield from pair(carrier, rng, order, stead, "small_task")


def in_technical(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield at least `count` long technical documents, every other one with an order inside."""
    kinds = (errands.hijack, errands.small_task, orders.written, orders.direct)
    for _ in range(0, count, 2):
        carrier = grow_technical(rng, heldout=heldout)
        if rng.random() < _ADDRESSED_SHARE:
            order, stead = addressed.order_and_stead(rng, heldout=heldout)
        else:
            order, stead = rng.choice(kinds)(rng, heldout=heldout), _stead(rng)
        yield from pair(carrier, rng, order, stead, "technical_planted")


def by_source(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield at least `count` texts: requests of users, and the same ones from somewhere else.

    There they are orders that nobody gave: the whole of a document or tool result, or in one that
    stands beside it without them.
    """
    for _ in range(0, count, 4):
        text, family = request(rng, heldout=heldout)
        order = Order(text, family, _BY_SOURCE)
        yield asked(rng, text, family)
        yield asked(rng, text, family)
        if rng.random() < _WHOLE_SHARE:
            yield from _whole(rng, order)
        else:
            yield from pair(_ordinary(rng, heldout), rng, order, _stead(rng), _BY_SOURCE)


def _whole(rng: random.Random, order: Order) -> list[Example]:
    """A document that is nothing but an order, and one that is nothing but a sentence."""
    source = rng.choice((Source.DOCUMENT, Source.TOOL))
    clean = _stead(rng) or phrase(rng, "sentence")
    text, span = order.text, (0, len(order.text))
    return [
        Example(clean, Label.BENIGN, source, f"{_BY_SOURCE}_clean", family=order.family),
        Example(text, Label.INJECTION, source, _BY_SOURCE, family=order.family, span=span),
    ]


def pair(
    carrier: Carrier, rng: random.Random, order: Order, stead: str, technique: str
) -> list[Example]:
    """The clean and the attacked document; the order and what is in its stead at one place."""
    put = plant_along if carrier.format == "prose" and rng.random() < 0.6 else plant
    place = rng.getrandbits(32)  # the same for both
    clean = put(carrier, stead, random.Random(place))[0] if stead else carrier.text
    attacked, span = put(carrier, order.text, random.Random(place))
    family = f"{carrier.family}+{order.family}"
    source = Source.DOCUMENT if carrier.source is Source.OUTPUT else carrier.source
    return [
        Example(clean, Label.BENIGN, source, f"{technique}_clean", family=family),
        Example(attacked, Label.INJECTION, source, technique, order.language, family, span=span),
    ]


def _stead(rng: random.Random) -> str:
    draw = rng.random()
    if draw < _DECOY_SHARE:
        return errands.for_people(rng) if rng.random() < 0.7 else question(rng)
    return phrase(rng, "statement") if draw < _DECOY_SHARE + _SENTENCE_SHARE else ""


def _ordinary(rng: random.Random, heldout: bool) -> Carrier:
    grow: Callable[..., Carrier]
    kinds = (grow_sheet, grow_long_sheet, grow_carrier, grow_technical)
    grow = rng.choices(kinds, (30, 10, 45, 5))[0]
    return grow_short(rng) if rng.random() < 0.1 else grow(rng, heldout=heldout)
