"""Disguised texts that hide nothing bad, so that an encoding alone is not the label."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks.disguise import GROUPS
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.benign.requests import request
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.schema import Example

# Spoken names of what a technique's own name does not tell.
_NAMES = {
    "flip": "reversed text", "look": "odd letters", "invisible": "message", "program": "program",
    "homoglyphs": "odd letters", "ascii": "ASCII codes", "url": "URL encoding", "rot13": "ROT13",
    "letter": "number code", "html": "HTML entities", "unicode": "Unicode escapes",
    "caesar": "Caesar cipher", "rail": "rail fence cipher", "nato": "spelling alphabet",
    "vigenere": "Vigenere cipher", "keyboard": "keyboard code", "pig": "pig Latin",
    "polybius": "Polybius square", "morse": "Morse code",
}  # fmt: skip
_BARE = ("flip", "look", "invisible")


@cache
def _grammar() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("benign_vocab", "carriers", "disguised", slots=("hidden", "kind"))
    return grammar, Frames(grammar, "disguised")


def generate(
    rng: random.Random, count: int, *, collected: Sequence[str] = (), heldout: bool = False
) -> Iterator[Example]:
    """Disguise ordinary requests, sentences and `collected` benign texts."""
    grammar, frames = _grammar()
    groups = list(GROUPS)
    for _ in range(count):
        group = rng.choice(groups)
        technique, disguise = rng.choice(list(GROUPS[group].items()))
        symbol, _ = frames.pick(rng, heldout=heldout)
        # Without a word around it an encoded text is rare in real life, an odd spelling is not.
        if group in _BARE and rng.random() < 0.5 and not heldout:
            symbol = "frame:disguised/bare"
        hidden = disguise(_harmless(rng, collected, heldout))
        kind = _kind(technique, group)
        source = Source.USER
        if "carried" in symbol:
            source = rng.choice((Source.DOCUMENT, Source.TOOL, Source.USER))
        text = grammar.grow(rng, symbol, hidden=hidden, kind=kind).text
        yield Example(
            text, Label.BENIGN, source, f"harmless/{technique}", family=frames.family(symbol)
        )


def asked(rng: random.Random, text: str, technique: str, *, heldout: bool = False) -> str:
    """A harmless text under a disguise, in the words of someone who wants it read."""
    grammar, frames = _grammar()
    group = next(group for group, members in GROUPS.items() if technique in members)
    asks = [symbol for symbol in frames.all(heldout=heldout) if "/ask-" in symbol]
    hidden, kind = GROUPS[group][technique](text), _kind(technique, group)
    return grammar.grow(rng, rng.choice(asks), hidden=hidden, kind=kind).text


def _kind(technique: str, group: str) -> str:
    first = technique.split("_")[0]
    return _NAMES.get(first) or _NAMES.get(group) or first


def _harmless(rng: random.Random, collected: Sequence[str], heldout: bool) -> str:
    draw = rng.random()
    if collected and draw < 0.5:
        return rng.choice(collected).strip()
    if draw < 0.8:
        return request(rng, heldout=heldout)[0]
    return _grammar()[0].grow(rng, rng.choice(("chat", "statement", "word3"))).text
