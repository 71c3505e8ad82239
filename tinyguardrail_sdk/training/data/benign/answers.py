"""What assistants answer in earnest, and documents that they show because somebody asked.

Install commands, password help, drafts with requests in them, refusals and talk about attacks are
most of what a guard of outputs sees; none of it is an attack.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.carriers import Carrier, grow_carrier
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.sheets import grow_sheet

_WRAPPED = "frame:wrapped/"
_WRAPPED_SHARE = 0.28
_JOINED_SHARE = 0.25  # answers of several parts, as long as real ones
_MOST_CHARS = 3000  # of a document that is shown


@cache
def _parts() -> tuple[Grammar, Frames, Frames]:
    words = ("benign_vocab", "carriers", "snippets", "answer_parts", "answers")
    grammar = Grammar.load(*words, slots=("given",))
    return grammar, Frames(grammar, "answer", "frame:an_"), Frames(grammar, "answer", _WRAPPED)


def answer(rng: random.Random, *, heldout: bool = False) -> Example:
    """One answer; a long one takes the family of its first part."""
    grammar, frames, _ = _parts()
    symbol, technique = frames.pick(rng, heldout=heldout)
    text = grammar.grow(rng, symbol).text
    if rng.random() < _JOINED_SHARE:
        # Further parts come from the same frames or plain sentences: families stay apart.
        for _ in range(rng.randint(1, 3)):
            part = rng.choice((symbol, "statement", "statement", "ask"))
            text += "\n\n" + grammar.grow(rng, part).text
    return _example(text, technique.removeprefix("an_"), frames.family(symbol))


def shown(rng: random.Random, places: Sequence[Carrier] = (), *, heldout: bool = False) -> Example:
    """A document inside an answer: one of `places` half of the time, else a grown one."""
    grammar, _, frames = _parts()
    symbol, technique = frames.pick(rng, heldout=heldout)
    if places and rng.random() < 0.5:
        carrier = rng.choice(places)
    else:
        carrier = rng.choice((grow_sheet, grow_carrier))(rng, heldout=heldout)
    text = grammar.grow(rng, symbol, given=carrier.text[:_MOST_CHARS].strip()).text
    return _example(text, technique, frames.family(symbol), carrier.language, carrier.terms)


def generate(
    rng: random.Random, count: int, *, places: Sequence[Carrier] = (), heldout: bool = False
) -> Iterator[Example]:
    """Yield `count` answers; `places` are benign documents and tool results to show."""
    for _ in range(count):
        if rng.random() < _WRAPPED_SHARE:
            yield shown(rng, places, heldout=heldout)
        else:
            yield answer(rng, heldout=heldout)


def _example(
    text: str, technique: str, family: str, language: str = "en", terms: str = "own"
) -> Example:
    return Example(
        text,
        Label.BENIGN,
        Source.OUTPUT,
        technique=f"answer/{technique}",
        language=language,
        family=family,
        terms=terms,
    )
