"""Attacks that a model carries on in its own output, each beside a harmless answer like it.

Data in the address of an image, a leaked prompt, the first words of a jailbroken answer, an order
of a document obeyed: what tells them from ordinary answers is a detail, so both stand side by side
in the same answer.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.benign.answers import answer
from tinyguardrail_sdk.training.data.carriers import Carrier
from tinyguardrail_sdk.training.data.grammar import Expansion, Grammar
from tinyguardrail_sdk.training.data.planting import plant_between
from tinyguardrail_sdk.training.data.schema import Example

_JAILBREAK = "comply"  # the technique whose attacks are a jailbreak that worked; it opens an answer
_ALONE = 0.35  # without an answer around them


@cache
def _parts() -> tuple[Grammar, Frames]:
    vocabulary = ("benign_vocab", "carriers", "snippets", "answer_parts", "app_rules")
    grammar = Grammar.load(*vocabulary, "carried", "carried_more", "carried_forms")
    return grammar, Frames(grammar, "carried")


def pair(rng: random.Random, *, heldout: bool = False) -> list[Example]:
    """A harmless answer and one that carries an attack on, alike but for it."""
    grammar, frames = _parts()
    symbol, technique = frames.pick(rng, heldout=heldout)
    clean = grammar.grow(rng, symbol.replace("frame:", "like:", 1))
    attacked = grammar.grow(rng, symbol)
    if rng.random() >= _ALONE:
        around = answer(rng, heldout=heldout).text
        place = rng.getrandbits(32)  # the same for both
        clean, attacked = (_put(e, around, technique, place) for e in (clean, attacked))
    label = Label.JAILBREAK if technique == _JAILBREAK else Label.INJECTION
    family = frames.family(symbol)
    kind = f"carried/{technique}"
    return [
        Example(clean.text, Label.BENIGN, Source.OUTPUT, f"{kind}_like", family=family),
        Example(attacked.text, label, Source.OUTPUT, kind, family=family, span=attacked.span),
    ]


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield at least `count` answers, whole pairs."""
    for _ in range(0, count, 2):
        yield from pair(rng, heldout=heldout)


def _put(grown: Expansion, around: str, technique: str, place: int) -> Expansion:
    start, end = grown.span or (0, len(grown.text))
    if technique == _JAILBREAK:
        return Expansion(f"{grown.text}\n\n{around}", (start, end))
    carrier = Carrier(around, "prose", Source.OUTPUT, "")
    text, (at, _) = plant_between(carrier, grown.text, random.Random(place))
    return Expansion(text, (at + start, at + end))
