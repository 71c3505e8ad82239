"""Benign generators that are nothing but a grammar: frames, a source and a little noise."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen
from tinyguardrail_sdk.training.data.schema import Example


@dataclass(eq=False)
class Grown:
    """A generator over the frames of some word files.

    Attributes:
        kind: Its name; first part of families and techniques.
        words: Word files beside `benign_vocab`; the last one holds the frames.
        sources: Where such texts come from, by the beginning of the technique; user elsewhere.
        noise: Roughens user texts as people type them.
        rough: Roughens texts of every other source too.
        context: Share of user texts with a few sentences of background around them.
        language: The language of a technique, where not English.
    """

    kind: str
    words: tuple[str, ...]
    sources: dict[str, tuple[Source, ...]] = field(default_factory=dict)
    noise: Callable[[random.Random, str], str] = roughen
    rough: bool = False
    context: float = 0.3
    language: Callable[[str], str] = lambda technique: "en"

    @cached_property
    def _grammar(self) -> Grammar:
        return Grammar.load("benign_vocab", *self.words)

    @cached_property
    def _frames(self) -> Frames:
        return Frames(self._grammar, self.kind)

    def one(self, rng: random.Random, *, heldout: bool = False) -> Example:
        """One text."""
        symbol, technique = self._frames.pick(rng, heldout=heldout)
        text = self._grammar.grow(rng, symbol).text
        source = rng.choice(self._sources(technique))
        if source is Source.USER and "chat" in self._grammar and rng.random() < self.context:
            text = self._in_context(rng, text)
        if source is Source.USER or self.rough:
            text = self.noise(rng, text)
        return Example(
            text,
            Label.BENIGN,
            source,
            technique=f"{self.kind}/{technique}",
            language=self.language(technique),
            family=self._frames.family(symbol),
        )

    def __call__(
        self, rng: random.Random, count: int, *, heldout: bool = False
    ) -> Iterator[Example]:
        """Grow `count` texts; none where no frame is held out."""
        if heldout and not self._frames.all(heldout=True):
            return
        for _ in range(count):
            yield self.one(rng, heldout=heldout)

    def _in_context(self, rng: random.Random, text: str) -> str:
        symbols = rng.choices(("chat", "statement", "ask"), (3, 3, 1), k=rng.randint(1, 5))
        told = " ".join(self._grammar.grow(rng, symbol).text for symbol in symbols)
        joint = rng.choice((" ", " ", "\n", "\n\n"))
        return told + joint + text if rng.random() < 0.7 else text + joint + told

    def _sources(self, technique: str) -> tuple[Source, ...]:
        for prefix, sources in self.sources.items():
            if technique.startswith(prefix):
                return sources
        return (Source.USER,)
