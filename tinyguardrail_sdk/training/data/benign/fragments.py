"""Texts of one to five words under every source: too short to be an attack, whatever the words.

Three kinds: grown ones (replies, greetings, buttons, topics), pieces cut out of collected benign
texts, and single words out of attacks, each of which is harmless alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks import injection, jailbreak
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.schema import Example

_SOURCES = tuple(Source)
_EDGES = " \t\n.,;:!?\"'()[]{}<>*_`#|/\\-–—“”"
_ENDS = ("", "", "", "", "", ".", "!", "?", "...", "\n")
_WORDS, _LETTERS = 5, 24
_CUT_SHARE, _WORD_SHARE = 0.25, 0.2


@cache
def _grammar() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("benign_vocab", "carriers", "fragments")
    return grammar, Frames(grammar, "fragment")


def generate(
    rng: random.Random, count: int, *, collected: Sequence[str] = (), heldout: bool = False
) -> Iterator[Example]:
    """Yield `count` fragments, some of them cut out of `collected` benign texts.

    Held-out ones are all grown: a cut or a single word has no frame to hold out.
    """
    for _ in range(count):
        draw = 1.0 if heldout else rng.random()
        if draw < _CUT_SHARE and collected:
            text, family = _cut(rng, rng.choice(collected)), "fragment:cut"
        elif draw < _CUT_SHARE + _WORD_SHARE:
            text, family = _attack_word(rng), "fragment:word"
        else:
            text, family = _grown(rng, heldout=heldout)
        yield Example(
            _typed(rng, text),
            Label.BENIGN,
            rng.choice(_SOURCES),
            technique=family.replace(":", "/"),
            family=family,
        )


def _grown(rng: random.Random, *, heldout: bool) -> tuple[str, str]:
    grammar, frames = _grammar()
    symbol, _ = frames.pick(rng, heldout=heldout)
    return grammar.grow(rng, symbol).text, frames.family(symbol)


def _cut(rng: random.Random, text: str) -> str:
    """One to five consecutive words; of scripts without blanks, as many letters."""
    words = text.split()
    at = rng.randrange(len(words))
    piece = " ".join(words[at : at + rng.randint(1, _WORDS)])
    if len(piece) > _LETTERS and not piece.isascii() and " " not in piece:
        piece = piece[: rng.randint(1, _WORDS)]
    return piece.strip(_EDGES) or piece


def _attack_word(rng: random.Random) -> str:
    """A word of letters out of an attack."""
    while True:
        make = rng.choice((injection.bare, injection.bare, jailbreak.jailbreak))
        words = [word.strip(_EDGES) for word in make(rng).text.split()]
        if plain := [word for word in words if word.isalpha() and len(word) <= _LETTERS]:
            return rng.choice(plain)


def _typed(rng: random.Random, text: str) -> str:
    """In the casing and with the end that such a text may have."""
    draw = rng.random()
    if draw < 0.2:
        text = text.lower()
    elif draw < 0.4:
        text = text[:1].upper() + text[1:]
    elif draw < 0.46:
        text = text.upper()
    return text + rng.choice(_ENDS)
