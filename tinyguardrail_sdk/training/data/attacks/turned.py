"""Short prompts of users that turn a model to another role or task, each beside a harmless one.

Three in English to one in German. Both of a pair open alike, so that neither a role nor "forget"
nor a language tells them apart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen
from tinyguardrail_sdk.training.data.schema import Example

LANGUAGES = ("en", "de")
_TURNS = ("en", "en", "en", "de")
_WORDS = {"en": ("turned_en", "turned_en_more"), "de": ("turned_de",)}


@cache
def _parts(language: str) -> tuple[Grammar, Frames]:
    grammar = Grammar.load("benign_vocab", "carriers", "snippets", *_WORDS[language])
    return grammar, Frames(grammar, f"turned-{language}")


def pair(rng: random.Random, language: str, *, heldout: bool = False) -> list[Example]:
    """A harmless prompt in one of `LANGUAGES` and an attack that opens like it."""
    grammar, frames = _parts(language)
    symbol, technique = frames.pick(rng, heldout=heldout)
    texts = (
        (grammar.grow(rng, symbol.replace("frame:", "like:", 1)).text, Label.BENIGN),
        (grammar.grow(rng, symbol).text, Label.INJECTION),
    )
    family = frames.family(symbol)
    made = []
    for text, label in texts:
        text = roughen(rng, text)
        attacked = label is not Label.BENIGN
        kind = f"turned/{technique}" if attacked else f"turned/{technique}_like"
        span = (0, len(text)) if attacked else None
        made.append(Example(text, label, technique=kind, language=language, family=family,
                            span=span))  # fmt: skip
    return made


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield at least `count` prompts, whole pairs, every fourth one German."""
    for number in range(0, count, 2):
        yield from pair(rng, _TURNS[number // 2 % len(_TURNS)], heldout=heldout)
