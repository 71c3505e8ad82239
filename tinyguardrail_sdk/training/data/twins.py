"""Attacked documents beside their clean twins.

An instruction in a document is an attack because of where it stands, so the network must see the
same document with it and without it, and the same instruction from a user. Clean twins get
something planted too, half of the time: an ordinary sentence of the document's own kind, in the
same places and wrappings, or a comment or a hidden element would give the attack away.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks import indirect
from tinyguardrail_sdk.training.data.attacks.disguise import CIPHERS, ENCODINGS, FLIPS, INVISIBLES
from tinyguardrail_sdk.training.data.benign import GENERATORS
from tinyguardrail_sdk.training.data.benign.requests import request
from tinyguardrail_sdk.training.data.carriers import Carrier, grow_carrier, phrase
from tinyguardrail_sdk.training.data.planting import format_of, plant
from tinyguardrail_sdk.training.data.schema import Example

# Ordinary from a user, attacks only where a document makes them.
_ORDINARY = (
    "request:",
    "indirect:quiet/plain_task",
    "indirect:quiet/encode_answer",
    "indirect:quiet/business",
)
_DISGUISES = {**FLIPS, **ENCODINGS, **CIPHERS, **INVISIBLES}


def twins(carrier: Carrier, rng: random.Random, *, heldout: bool = False) -> list[Example]:
    """The document as it is (or with an ordinary sentence added), and attacked.

    An ordinary request comes a third time, alone, from a user: benign.
    """
    instruction, frame = _instruction(rng, heldout)
    pair = _pair(carrier, rng, instruction, frame)
    if frame.startswith(_ORDINARY):
        alone = Example(instruction, Label.BENIGN, technique="twin_user", family=frame)
        return [*pair, alone]
    return pair


def pasted(carrier: Carrier, rng: random.Random, *, heldout: bool = False) -> list[Example]:
    """A user's request with the document below it, clean and attacked.

    Only open attacks are planted: an ordinary request may well be the user's own.
    """
    instruction, frame = indirect.instruction(rng, heldout=heldout)
    while not frame.startswith("indirect:loud"):
        instruction, frame = indirect.instruction(rng, heldout=heldout)
    # An attack that a user pastes unseen; the user's own words stand around it.
    lead = phrase(rng, "paste") + rng.choice(("\n\n", "\n", "\n\n---\n", ' """\n', "\n```\n"))
    made = []
    for example in _pair(replace(carrier, source=Source.USER), rng, instruction, frame):
        span = example.span and (example.span[0] + len(lead), example.span[1] + len(lead))
        technique = f"pasted_{example.technique}"
        made.append(replace(example, text=lead + example.text, span=span, technique=technique))
    return made


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
    """A model's answer that carries an open attack on, and the same answer without it."""
    answer = GENERATORS["output"](rng, 1, heldout=heldout)
    example = next(iter(answer))
    carrier = Carrier(example.text, "prose", Source.OUTPUT, example.family)
    instruction, frame = indirect.instruction(rng, heldout=heldout)
    return _pair(carrier, rng, instruction, frame)


def generate(
    rng: random.Random, count: int, *, carriers: Sequence[Carrier] = (), heldout: bool = False
) -> Iterator[Example]:
    """Twins over grown carriers and, half of the time, over those given.

    Yields at least `count` examples, whole pairs.
    """
    kinds = (twins, pasted, hidden)
    made = 0
    while made < count:
        if rng.random() < 0.03:
            pair = echoed(rng, heldout=heldout)
        else:
            kind = rng.choices(kinds, (80, 12, 8))[0]
            pair = kind(_carrier(rng, carriers, heldout), rng, heldout=heldout)
        made += len(pair)
        yield from pair


def _carrier(rng: random.Random, given: Sequence[Carrier], heldout: bool) -> Carrier:
    if given and rng.random() < 0.5:
        return window(rng.choice(given), rng)
    return grow_carrier(rng, heldout=heldout)


def _instruction(rng: random.Random, heldout: bool) -> tuple[str, str]:
    """More than half of them ordinary requests that are only out of place."""
    if rng.random() < 0.45:
        return request(rng, heldout=heldout)
    return indirect.instruction(rng, heldout=heldout)


def _pair(carrier: Carrier, rng: random.Random, instruction: str, frame: str) -> list[Example]:
    clean = carrier.text
    if rng.random() < 0.65:
        decoy = " ".join(phrase(rng, "sentence") for _ in range(rng.randint(1, 3)))
        clean, _ = plant(carrier, decoy, rng)
    attacked, span = plant(carrier, instruction, rng)
    name = "indirect_request" if frame.startswith(_ORDINARY) else "indirect_hostile"
    return [
        _example(carrier, clean, Label.BENIGN, "twin_clean", frame, False, span),
        _example(carrier, attacked, Label.INJECTION, name, frame, True, span),
    ]


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


def window(carrier: Carrier, rng: random.Random, most: int = 1500) -> Carrier:
    """A stretch of a long real document, cut at lines or blanks; short ones stay whole."""
    text = carrier.text
    if len(text) <= most and rng.random() < 0.7:
        return carrier
    size = min(len(text), rng.randint(120, most))
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
