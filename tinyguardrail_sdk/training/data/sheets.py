"""Clean documents that ask their human readers for things: readmes, exams, lists, commented code.

A question in an exam or a "please forward this" in a letter is for whoever reads it. Such
documents are benign as they are, and places to plant in like any other carrier.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.carriers import Carrier
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.schema import Example

# Planting formats by technique; the others are prose.
_FORMATS = {"code": "code", "html": "html", "grid": "grid", "json": "json"}
_LONG_SHARE = 0.3  # of the clean ones
_SHORT_OF_LONG, _LONGEST = 1800, 6000  # characters


@cache
def _parts() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("benign_vocab", "carriers", "snippets", "sheets")
    return grammar, Frames(grammar, "sheet")


def grow_sheet(rng: random.Random, *, heldout: bool = False) -> Carrier:
    """One document of a kind drawn at random."""
    grammar, frames = _parts()
    symbol, technique = frames.pick(rng, heldout=heldout)
    return _carrier(rng, grammar.grow(rng, symbol).text, technique, frames.family(symbol))


def grow_long_sheet(rng: random.Random, *, heldout: bool = False) -> Carrier:
    """Several documents of one kind below each other, 1,800 to 6,000 characters."""
    grammar, frames = _parts()
    symbol, technique = frames.pick(rng, heldout=heldout)
    size = rng.randint(_SHORT_OF_LONG, _LONGEST)
    texts = [grammar.grow(rng, symbol).text]
    joint = "\n" if technique in _FORMATS else "\n\n"
    while sum(map(len, texts)) < size:
        texts.append(grammar.grow(rng, symbol).text)
    return _carrier(rng, joint.join(texts)[:_LONGEST], technique, frames.family(symbol))


def question(rng: random.Random) -> str:
    """A question, task or favour that such a document has for people."""
    return _parts()[0].grow(rng, rng.choice(("sh_q", "sh_q", "sh_do", "sh_todo", "ask"))).text


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Clean ones as benign examples, three in ten of them long."""
    for _ in range(count):
        grow = grow_long_sheet if rng.random() < _LONG_SHARE else grow_sheet
        sheet = grow(rng, heldout=heldout)
        technique = sheet.family.replace(":", "/").rpartition("/")[0]
        yield Example(sheet.text, Label.BENIGN, sheet.source, technique, family=sheet.family)


def _carrier(rng: random.Random, text: str, technique: str, family: str) -> Carrier:
    source = rng.choice((Source.DOCUMENT, Source.DOCUMENT, Source.TOOL))
    return Carrier(text, _FORMATS.get(technique, "prose"), source, family)
