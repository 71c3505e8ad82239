"""Clean documents that ask their human readers for things: readmes, exams, lists, commented code.

A question in an exam or a "please forward this" in a letter is for whoever reads it. Such
documents are benign as they are, and places to plant in like any other carrier.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.carriers import Carrier
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.schema import Example

# Planting formats by technique; the others are prose.
_FORMATS = {"code": "code", "html": "html", "grid": "grid", "json": "json"}
# A value as the grammar writes it: up to the next key or the end of its object.
_JSON_STRING = re.compile(r'(?<=": ").*?(?="(?:, "\w+": |\}))', re.DOTALL)
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
    return _carrier(rng, _grown(rng, grammar, symbol), technique, frames.family(symbol))


def grow_long_sheet(rng: random.Random, *, heldout: bool = False) -> Carrier:
    """Several documents of one kind below each other, 1,800 to 6,000 characters."""
    grammar, frames = _parts()
    symbol, technique = frames.pick(rng, heldout=heldout)
    size = rng.randint(_SHORT_OF_LONG, _LONGEST)
    text = longer = _grown(rng, grammar, symbol)
    joint = {"prose": "\n\n", "json": ",\n"}.get(_format(technique), "\n")
    while len(text) < size and len(longer) <= _LONGEST - len("[]"):
        text = longer
        longer = text + joint + _grown(rng, grammar, symbol)
    if _format(technique) == "json":
        text = f"[{text}]"
    return _carrier(rng, text, technique, frames.family(symbol))


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


def _grown(rng: random.Random, grammar: Grammar, symbol: str) -> str:
    text = grammar.grow(rng, symbol).text
    if symbol.startswith("frame:json/"):  # the words inside know nothing of JSON
        return _JSON_STRING.sub(lambda found: json.dumps(found[0], ensure_ascii=False)[1:-1], text)
    return text


def _format(technique: str) -> str:
    return _FORMATS.get(technique, "prose")


def _carrier(rng: random.Random, text: str, technique: str, family: str) -> Carrier:
    source = rng.choice((Source.DOCUMENT, Source.DOCUMENT, Source.TOOL))
    return Carrier(text, _format(technique), source, family)
