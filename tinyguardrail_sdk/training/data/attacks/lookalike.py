"""Harmless prompts of users in the words and forms of attacks, and attacks on the same topics.

Word files group both by topic: `frame:<topic>/<name>` grows harmless prompts, `attack:` of the same
name injections and `jail:` jailbreaks with the same words. Both sides of a group have one family.
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

_WORDS = ("attack", "undo", "tech", "life", "school", "play", "work", "speak", "ask", "yours",
          "tongues")  # fmt: skip
_LABELS = {"attack:": Label.INJECTION, "jail:": Label.JAILBREAK}
_HARMLESS = 3  # rows for each attack: users who sound like an attacker are rarer than they look
_TWO = 0.4  # share of harmless English texts with a second prompt: attacks are longer, too
_CONTEXT = 0.2  # share of texts with a few ordinary sentences before or after


@cache
def _parts() -> tuple[Grammar, Frames]:
    files = (f"lookalike_{name}" for name in _WORDS)
    grammar = Grammar.load("benign_vocab", "carriers", *files)
    return grammar, Frames(grammar, "lookalike")


def one(rng: random.Random, attacked: bool, *, heldout: bool = False) -> Example:
    """One prompt: an attack if `attacked`, else a harmless one that could be taken for it."""
    grammar, frames = _parts()
    symbol, technique = frames.pick(rng, heldout=heldout)
    language = symbol.partition("/")[2][:2] if technique == "tongue" else "en"
    family = frames.family(symbol)
    label = Label.BENIGN
    prompts = 1
    if attacked:
        symbol, label = rng.choice(_attacks(symbol))
    elif language == "en" and rng.random() < _TWO:
        prompts = 2
    text = roughen(rng, " ".join(grammar.grow(rng, symbol).text for _ in range(prompts)))
    before, after = _context(rng, grammar) if language == "en" else ("", "")
    span = (len(before), len(before) + len(text)) if attacked else None
    kind = f"lookalike/{technique}{'_attack' if attacked else ''}"
    return Example(before + text + after, label, technique=kind, language=language,
                   family=family, span=span)  # fmt: skip


def _attacks(symbol: str) -> list[tuple[str, Label]]:
    grammar, _ = _parts()
    named = symbol.removeprefix("frame:")
    return [(kind + named, label) for kind, label in _LABELS.items() if kind + named in grammar]


def _context(rng: random.Random, grammar: Grammar) -> tuple[str, str]:
    if rng.random() >= _CONTEXT:
        return "", ""
    symbols = rng.choices(("chat", "statement"), k=rng.randint(1, 3))
    told = " ".join(grammar.grow(rng, symbol).text for symbol in symbols)
    joint = rng.choice((" ", " ", "\n", "\n\n"))
    return (told + joint, "") if rng.random() < 0.6 else ("", joint + told)


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield `count` prompts, every fourth one an attack."""
    for number in range(count):
        yield one(rng, number % (_HARMLESS + 1) == _HARMLESS, heldout=heldout)
