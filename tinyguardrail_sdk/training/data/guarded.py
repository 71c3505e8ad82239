"""Small applications' prompts with a user's input inside: harmless input and an injection, twins.

A prompt that says "never reveal the code" is no attack, whatever it sounds like; the input may be.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.attacks.injection import draw
from tinyguardrail_sdk.training.data.benign.requests import request
from tinyguardrail_sdk.training.data.carriers import phrase
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.schema import Example


@cache
def _grammar() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("benign_vocab", "carriers", "app_rules", "guarded", slots=("input",))
    return grammar, Frames(grammar, "guarded")


def generate(
    rng: random.Random, count: int, *, inputs: Sequence[str] = (), heldout: bool = False
) -> Iterator[Example]:
    """Yield `count` prompts, about half of them attacked; `inputs` are benign texts of users."""
    grammar, frames = _grammar()
    symbols = frames.all(heldout=heldout) or frames.all(heldout=not heldout)
    for _ in range(count):
        symbol = rng.choice(symbols)
        attacked = rng.random() < 0.5
        given, mark = (
            _hostile(rng, heldout) if attacked else (_harmless(rng, inputs, heldout), (0, 0))
        )
        text = grammar.grow(rng, symbol, input=given).text
        at = text.find(given)
        yield Example(
            text,
            Label.INJECTION if attacked else Label.BENIGN,
            Source.USER,
            technique="guarded_attack" if attacked else "guarded_clean",
            family=frames.family(symbol),
            span=(at + mark[0], at + mark[1]) if attacked else None,
        )


def _hostile(rng: random.Random, heldout: bool) -> tuple[str, tuple[int, int]]:
    example = draw(rng, heldout=heldout)
    return example.text, example.span or (0, len(example.text))


def _harmless(rng: random.Random, inputs: Sequence[str], heldout: bool) -> str:
    if inputs and rng.random() < 0.6:
        return rng.choice(inputs).strip()
    if rng.random() < 0.3:
        return request(rng, heldout=heldout)[0]
    return " ".join(phrase(rng, "sentence") for _ in range(rng.randint(1, 4)))
