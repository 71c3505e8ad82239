"""Texts of an exact number of tokens, different from each other and unlike any in training."""

from __future__ import annotations

import random
from functools import lru_cache

from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer

_SPECIAL = 2  # [CLS] and [SEP] count too
_PEOPLE = "Amara Bruno Celeste Dmitri Eleni Farid Greta Hiroshi Ines Jonas Keiko Lars Mira".split()
_DOINGS = (
    "is wondering about",
    "cannot find",
    "would love to rearrange",
    "has carefully photographed",
    "keeps mentioning",
    "wrote thirteen pages on",
    "misunderstood",
    "is going to repaint",
    "bought insurance for",
    "forgot",
)
_THINGS = (
    "the quarterly budget",
    "a photosynthesis worksheet",
    "our wedding playlist",
    "that espresso machine",
    "the library's opening hours",
    "a bicycle lane petition",
    "the thermodynamics lecture",
    "two train tickets",
    "the unfinished jigsaw puzzle",
    "an archaeological survey",
    "my grandmother's dumplings",
    "the staging server",
)
_ENDINGS = ". ? ! ; ...".split()


@lru_cache
def tokenizer() -> WordPieceTokenizer:
    """The shipped tokenizer."""
    return WordPieceTokenizer.from_file(DEFAULT_CHECKPOINT / "vocab.txt")


def texts(tokens: int, count: int) -> list[str]:
    """`count` texts that make `tokens` tokens each, special ones included."""
    rng = random.Random(tokens)
    return [_text(tokens - _SPECIAL, rng) for _ in range(count)]


def _text(tokens: int, rng: random.Random) -> str:
    words: list[str] = []
    while True:
        sentence = f"{rng.choice(_PEOPLE)} {rng.choice(_DOINGS)} {rng.choice(_THINGS)}"
        words += (sentence + rng.choice(_ENDINGS)).split()
        encoding = tokenizer().encode(" ".join(words))
        if len(encoding.ids) >= tokens:
            return " ".join(words)[: encoding.ends[tokens - 1]]
