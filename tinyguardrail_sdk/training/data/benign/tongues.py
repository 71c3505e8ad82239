"""Harmless texts in languages other than English, under every source.

Each language has a vocabulary of its own, and requests, chat turns and harmless uses of the words
that attacks live on, attacks cited among them; documents, tool results and answers are built alike
in all of them.
"""

from __future__ import annotations

import random
from functools import cache

from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.training.data.benign.grown import Grown
from tinyguardrail_sdk.training.data.grammar import Grammar

LANGUAGES = (
    *("de", "fr", "es", "zh", "hi", "ru", "pt", "it", "ja", "ko"),
    *("ar", "tr", "pl", "nl", "uk", "vi", "id"),
)
_SOURCES = {
    "doc": (Source.DOCUMENT, Source.DOCUMENT, Source.TOOL),
    "tool": (Source.TOOL, Source.TOOL, Source.DOCUMENT),
    "out": (Source.OUTPUT,),
    "memo": (Source.DOCUMENT, Source.TOOL, Source.OUTPUT),
    "note": (Source.USER, Source.TOOL, Source.DOCUMENT, Source.OUTPUT),
}


@cache
def grown(language: str) -> Grown:
    """The generator of one of `LANGUAGES`."""
    return Grown(
        f"tongue-{language}",
        ("tongues", f"spoken_{language}", f"tongue_{language}"),
        _SOURCES,
        language=lambda technique: language,
    )


def note(rng: random.Random, language: str) -> str:
    """A sentence or two from a document in one of `LANGUAGES`."""
    return _grammar(language).grow(rng, "note").text


@cache
def _grammar(language: str) -> Grammar:
    return Grammar.load("benign_vocab", "tongues", f"spoken_{language}", f"tongue_{language}")
