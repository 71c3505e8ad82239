"""Attacked documents beside their clean twins.

An instruction in a document is an attack because of where it stands, so the network must see the
same document with it and without it, and the same instruction from a user. Clean twins get
something planted too, half of the time: an ordinary sentence of the document's own kind, in the
same places and wrappings, or a comment or a hidden element would give the attack away.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data import orders
from tinyguardrail_sdk.training.data.attacks import indirect
from tinyguardrail_sdk.training.data.attacks.disguise import CIPHERS, ENCODINGS, FLIPS, INVISIBLES
from tinyguardrail_sdk.training.data.benign import GENERATORS, answers
from tinyguardrail_sdk.training.data.benign.quoted import quote
from tinyguardrail_sdk.training.data.carriers import (
    Carrier,
    grow_carrier,
    grow_long,
    grow_short,
    phrase,
)
from tinyguardrail_sdk.training.data.orders import Order
from tinyguardrail_sdk.training.data.planting import format_of, plant, plant_along, plant_between
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.sheets import grow_long_sheet, grow_sheet

_DISGUISES = {**FLIPS, **ENCODINGS, **CIPHERS, **INVISIBLES}
_QUOTABLE = 160  # characters of an attack that an answer repeats
_LONG = 2000  # characters: several windows
_Planter = Callable[[Carrier, str, random.Random], tuple[str, tuple[int, int]]]


def twins(carrier: Carrier, rng: random.Random, *, heldout: bool = False) -> list[Example]:
    """The document as it is (or with an ordinary sentence added), and attacked.

    An ordinary request comes a third time, alone, from a user: benign.
    """
    order = orders.planted(rng, heldout=heldout)
    pair = pair_of(carrier, rng, order, heldout)
    if order.ordinary:
        alone = Example(order.text, Label.BENIGN, technique="twin_user", family=order.family)
        return [*pair, alone]
    return pair


def short(rng: random.Random, *, heldout: bool = False) -> list[Example]:
    """A direct injection among a few sentences, and those sentences."""
    order = orders.direct(rng, heldout=heldout)
    return _renamed("short", pair_of(grow_short(rng), rng, order, heldout, plant_between))


def long(carrier: Carrier, rng: random.Random, *, heldout: bool = False) -> list[Example]:
    """An order at the start, in the middle or at the end of several windows of text.

    A third are direct injections. Tables, pages and code take it where their format does.
    """
    kind = orders.direct if rng.random() < 0.35 else orders.planted
    put = plant_along if carrier.format == "prose" else plant
    return _renamed("long", pair_of(carrier, rng, kind(rng, heldout=heldout), heldout, put))


def pasted(carrier: Carrier, rng: random.Random, *, heldout: bool = False) -> list[Example]:
    """A user's request with the document below it, clean and attacked.

    Only open attacks are planted: an ordinary request may well be the user's own.
    """
    order = orders.loud(rng, heldout=heldout)
    # An attack that a user pastes unseen; the user's own words stand around it.
    lead = phrase(rng, "paste") + rng.choice(("\n\n", "\n", "\n\n---\n", ' """\n', "\n```\n"))
    made = []
    for example in pair_of(replace(carrier, source=Source.USER), rng, order, heldout):
        span = example.span and (example.span[0] + len(lead), example.span[1] + len(lead))
        made.append(replace(example, text=lead + example.text, span=span))
    return _renamed("pasted", made)


def hidden(carrier: Carrier, rng: random.Random, *, heldout: bool = False) -> list[Example]:
    """A disguised instruction in a document, and an ordinary sentence under the same disguise."""
    name, disguise = rng.choice(list(_DISGUISES.items()))
    instruction, frame = indirect.instruction(rng, heldout=heldout)
    while disguise(instruction) in ("", instruction):  # a letter cipher of another script
        instruction, frame = indirect.instruction(rng, heldout=heldout)
    made = []
    for text, label in ((instruction, Label.OBFUSCATION), (phrase(rng, "sentence"), Label.BENIGN)):
        whole, span = plant(carrier, disguise(text), rng)
        attacked = label is not Label.BENIGN
        made.append(_example(carrier, whole, label, f"hidden_{name}", frame, attacked, span))
    return made


def echoed(rng: random.Random, *, heldout: bool = False) -> list[Example]:
    """A model's answer that carries an open attack on, and the same answer without it.

    A short direct attack comes a third time, in an answer that only speaks about it: benign.
    """
    example = answers.answer(rng, heldout=heldout)
    if rng.random() < 0.5:
        example = next(iter(GENERATORS["output"](rng, 1, heldout=heldout)))
    carrier = Carrier(example.text, "prose", Source.OUTPUT, example.family)
    if rng.random() < 0.5:
        return pair_of(carrier, rng, orders.written(rng, heldout=heldout), heldout)
    order = orders.direct(rng, heldout=heldout)
    pair = pair_of(carrier, rng, order, heldout)
    if len(order.text) > _QUOTABLE or "\n" in order.text:
        return pair
    spoken = quote(rng, order.text, heldout=heldout)
    family = f"{spoken.family}+{order.family}"
    return [*pair, replace(spoken, technique="twin_quoted", family=family)]


def generate(
    rng: random.Random, count: int, *, carriers: Sequence[Carrier] = (), heldout: bool = False
) -> Iterator[Example]:
    """Twins over grown carriers and, half of the time, over those given.

    Yields at least `count` examples, whole pairs.
    """
    roomy = [c for c in carriers if len(c.text) >= _LONG]
    made = 0
    while made < count:
        pair = _drawn(rng, carriers, roomy, heldout)
        made += len(pair)
        yield from pair


def _drawn(
    rng: random.Random, given: Sequence[Carrier], roomy: Sequence[Carrier], heldout: bool
) -> list[Example]:
    draw = rng.random()
    if draw < 0.07:
        return echoed(rng, heldout=heldout)
    if draw < 0.145:
        return short(rng, heldout=heldout)
    if draw < 0.235:
        return long(_long_carrier(rng, roomy, heldout), rng, heldout=heldout)
    kind = rng.choices((twins, pasted, hidden), (80, 12, 8))[0]
    return kind(_carrier(rng, given, heldout), rng, heldout=heldout)


def _carrier(rng: random.Random, given: Sequence[Carrier], heldout: bool) -> Carrier:
    draw = rng.random()
    if given and draw < 0.45:
        return window(rng.choice(given), rng)
    if draw < 0.7:
        return grow_sheet(rng, heldout=heldout)
    return grow_carrier(rng, heldout=heldout)


def _long_carrier(rng: random.Random, roomy: Sequence[Carrier], heldout: bool) -> Carrier:
    if roomy and rng.random() < 0.5:
        return window(rng.choice(roomy), rng, least=_LONG, most=3 * _LONG)
    return grow_long_sheet(rng, heldout=heldout) if rng.random() < 0.5 else grow_long(rng)


def pair_of(
    carrier: Carrier,
    rng: random.Random,
    order: Order,
    heldout: bool,
    put: _Planter = plant,
) -> list[Example]:
    """The carrier, two times in three with something harmless in it, and with the order in it."""
    clean = carrier.text
    if rng.random() < 0.65:
        clean, _ = put(carrier, orders.decoy(rng, order, heldout=heldout), rng)
    attacked, span = put(carrier, order.text, rng)
    frame = order.family
    return [
        _example(carrier, clean, Label.BENIGN, "twin_clean", frame, False, span),
        _example(carrier, attacked, Label.INJECTION, order.technique, frame, True, span),
    ]


def _renamed(kind: str, examples: Sequence[Example]) -> list[Example]:
    return [replace(e, technique=f"{kind}_{e.technique}") for e in examples]


def _example(
    carrier: Carrier,
    text: str,
    label: Label,
    technique: str,
    frame: str,
    attacked: bool,
    span: tuple[int, int],
) -> Example:
    return Example(
        text,
        label,
        carrier.source,
        technique,
        language=carrier.language,
        # One family for both twins, or a split would part them.
        family=f"{carrier.family}+{frame}",
        terms=carrier.terms,
        span=span if attacked else None,
    )


def window(carrier: Carrier, rng: random.Random, *, least: int = 120, most: int = 1500) -> Carrier:
    """A stretch of a long real document, cut at lines or blanks; short ones stay whole."""
    text = carrier.text
    if len(text) <= most and rng.random() < 0.7:
        return carrier
    size = min(len(text), rng.randint(least, most))
    start = rng.randint(0, len(text) - size)
    cut = text[start : start + size]
    # Begin and end at a blank, so that no half word marks the cut.
    first = 0 if start == 0 else max(cut.find("\n"), cut.find(" "), 0)
    last = len(cut) if start + size == len(text) else max(cut.rfind(" "), 1)
    cut = cut[first:last].strip() or text[:size]
    return Carrier(cut, carrier.format, carrier.source, carrier.family, carrier.language,
                   carrier.terms)  # fmt: skip


def as_carriers(examples: Sequence[Example]) -> list[Carrier]:
    """Benign documents and tool results of a pool as places to plant in."""
    return [
        Carrier(e.text, format_of(e.text), e.source, e.family, e.language, e.terms)
        for e in examples
        if e.label is Label.BENIGN and e.source in (Source.DOCUMENT, Source.TOOL)
    ]
