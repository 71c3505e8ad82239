"""The prompts of `wrapped` in eighteen languages.

Most texts are a frame around a harmless or a harmful wish, in one and the same wording; roles for
honest purposes are frames, too. Beside them stand modes without rules, which are attacks by
themselves, and requests in place of an earlier one: harmless where users take back what they asked,
injections where what was said before is to be ignored.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.attacks import goals
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen
from tinyguardrail_sdk.training.data.schema import Example

# Of draws. Chinese has the most, for it shares the fewest letters and words with the others.
_LANGUAGES: Mapping[str, float] = MappingProxyType(
    {
        "zh": 5,
        "en": 3,
        **dict.fromkeys(("de", "fr", "es", "ru", "hi", "pt", "ja", "ko", "it", "ar"), 2),
        **dict.fromkeys(("tr", "pl", "nl", "uk", "vi", "id"), 1),
    }
)
_KIND = "wrapped_tongues"
_SLOTS = ("ask", "topic")

_Wish = dict[str, str]


@dataclass(frozen=True)
class _Words:
    """The words of a language.

    Attributes:
        language: ISO 639-1 code.
        grammar: All of them.
        framed: Frames for either wish.
        soft: Roles and rules for honest purposes.
        hard: Modes without rules.
        turn: A user takes a question back.
        drop: What was said before is to be ignored.
    """

    language: str
    grammar: Grammar
    framed: Frames
    soft: Frames
    hard: Frames
    turn: list[str]
    drop: list[str]

    def wish(self, rng: random.Random, kind: str, heldout: bool) -> _Wish:
        """A `good` or `bad` wish as a sentence and as part of one."""
        return {
            slot: goals.phrase(
                rng, self.grammar, (f"{kind}_{slot}:{self.language}",), heldout=heldout
            )
            for slot in _SLOTS
        }

    def grow(self, rng: random.Random, symbol: str, wish: _Wish) -> str:
        return self.grammar.grow(rng, symbol, noise=None, **wish).text

    def shapes(self, heldout: bool) -> list[str]:
        """Those with words on that side of the split; ways to drop something are too few for it."""
        soft, hard = (frames.all(heldout=heldout) for frames in (self.soft, self.hard))
        possible = {"framed": True, "role": soft, "mode": soft and hard, "dropped": not heldout}
        return [shape for shape, words in possible.items() if words]


@cache
def _words(language: str) -> _Words:
    grammar = Grammar.load("base", "wrapped_drops", f"wrapped_{language}", slots=_SLOTS)
    framed = Frames(grammar, _KIND)
    soft, hard = (Frames(grammar, _KIND, f"{name}:") for name in ("soft", "hard"))
    turn, drop = (grammar.symbols(f"{name}:{language}-") for name in ("turn", "drop"))
    return _Words(language, grammar, framed, soft, hard, turn, drop)


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield `count` texts, a harmless one and an attack in turn."""
    made = 0
    while made < count:
        words = _words(rng.choices(list(_LANGUAGES), list(_LANGUAGES.values()))[0])
        shapes = words.shapes(heldout)
        shape = rng.choices(shapes, [_SHAPES[name][1] for name in shapes])[0]
        pair = _SHAPES[shape][0](rng, words, heldout)
        yield from pair[: count - made]
        made += len(pair)


def _framed(rng: random.Random, words: _Words, heldout: bool) -> list[Example]:
    return _both(rng, words, words.framed, heldout)


def _role(rng: random.Random, words: _Words, heldout: bool) -> list[Example]:
    return _both(rng, words, words.soft, heldout)


def _both(rng: random.Random, words: _Words, frames: Frames, heldout: bool) -> list[Example]:
    """One frame, grown alike around a harmless and a harmful wish."""
    frame, kind = frames.pick(rng, heldout=heldout)
    kind, family = "role" if frames is words.soft else kind, frames.family(frame)
    seed = rng.random()
    return [
        _example(
            rng,
            words.grow(random.Random(seed), frame, words.wish(rng, wish, heldout)),
            label,
            words,
            kind,
            family,
        )
        for wish, label in (("good", Label.BENIGN), ("bad", Label.JAILBREAK))
    ]


def _mode(rng: random.Random, words: _Words, heldout: bool) -> list[Example]:
    """A role for an honest purpose, and a mode without rules."""
    return [
        _example(
            rng,
            words.grow(rng, frame, words.wish(rng, wish, heldout)),
            label,
            words,
            "mode",
            frames.family(frame),
        )
        for frames, wish, label in (
            (words.soft, "good", Label.BENIGN),
            (words.hard, "bad", Label.JAILBREAK),
        )
        for frame, _ in (frames.pick(rng, heldout=heldout),)
    ]


def _dropped(rng: random.Random, words: _Words, heldout: bool) -> list[Example]:
    """A request and another one in its stead; an injection asks for either kind of thing."""
    made = []
    for symbols, wish, label in (
        (words.turn, "good", Label.BENIGN),
        (words.drop, rng.choice(("good", "bad")), Label.INJECTION),
    ):
        symbol = rng.choice(symbols)
        before, after = (words.wish(rng, kind, heldout)["ask"] for kind in ("good", wish))
        text = f"{before}{rng.choice(_JOINTS)}{words.grow(rng, symbol, {})} {after}"
        made.append(_example(rng, text, label, words, "dropped", f"{_KIND}:{symbol}"))
    return made


_JOINTS = (". ", "? ", "\n", "\n\n")
# How a pair is made, and its share of the draws.
_SHAPES: Mapping[str, tuple[Callable[[random.Random, _Words, bool], list[Example]], float]] = (
    MappingProxyType(
        {
            "framed": (_framed, 0.66),
            "role": (_role, 0.1),
            "mode": (_mode, 0.14),
            "dropped": (_dropped, 0.1),
        }
    )
)


def _example(
    rng: random.Random, text: str, label: Label, words: _Words, kind: str, family: str
) -> Example:
    if words.language == "en":  # noise has English habits
        text = roughen(rng, text)
    return Example(
        text,
        label,
        technique=f"{_KIND}/{kind}",
        language=words.language,
        family=family,
        span=None if label is Label.BENIGN else (0, len(text)),
    )
