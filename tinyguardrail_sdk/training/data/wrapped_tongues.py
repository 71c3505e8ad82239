"""The prompts of `wrapped` in many languages: a harmless and a harmful wish in the same wording.

Most texts are a frame around either wish. Some of the harmful ones take away all rules first, and
stand beside roles of the same shape for honest purposes; some follow a harmless request that the
user drops. Wishes are parted like frames: those of held-out texts never stand in training ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.attacks import goals
from tinyguardrail_sdk.training.data.attacks.frames import Frames, is_held_out
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen
from tinyguardrail_sdk.training.data.schema import Example

# By language, as many draws as there are words and as it is used.
_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "zh": 5,
        "en": 3,
        **dict.fromkeys(("de", "fr", "es", "ru", "hi", "pt", "ja", "ko", "it", "ar"), 2),
        **dict.fromkeys(("tr", "pl", "nl", "uk", "vi", "id"), 1),
    }
)
_SHAPES: Mapping[str, float] = MappingProxyType({"framed": 0.7, "ruled": 0.18, "dropped": 0.12})
_SLOTS = ("ask", "topic")

_Texts = tuple[str, str]  # around a harmless wish and around a harmful one


@cache
def _words(language: str) -> tuple[Grammar, Frames]:
    names = ("base", "wrapped_drops", f"wrapped_{language}")
    grammar = Grammar.load(*names, slots=_SLOTS)
    return grammar, Frames(grammar, "wrapped_tongues")


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield `count` texts, a harmless one and an attack in turn."""
    made = 0
    while made < count:
        language = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        shape = rng.choices(list(_SHAPES), list(_SHAPES.values()))[0]
        if shape != "framed" and is_held_out(_family(language, shape)) != heldout:
            shape = "framed"
        pair = _pair(rng, language, shape, heldout)
        yield from pair[: count - made]
        made += len(pair)


def _pair(rng: random.Random, language: str, shape: str, heldout: bool) -> list[Example]:
    grammar, frames = _words(language)
    family = _family(language, shape)
    if shape == "framed":
        frame, _ = frames.pick(rng, heldout=heldout)
        texts, family = _framed(rng, language, frame, heldout), frames.family(frame)
    elif shape == "ruled":
        good, bad = (_wish(rng, grammar, kind, language, heldout) for kind in ("good", "bad"))
        texts = (
            grammar.grow(rng, f"soft:{language}", noise=None, **good).text,
            grammar.grow(rng, f"hard:{language}", noise=None, **bad).text,
        )
    else:
        texts = _dropped(rng, language, heldout)
    attack = Label.INJECTION if shape == "dropped" else Label.JAILBREAK
    return [
        _example(roughen(rng, text), label, language, shape, family)
        for text, label in zip(texts, (Label.BENIGN, attack), strict=True)
    ]


def _framed(rng: random.Random, language: str, frame: str, heldout: bool) -> _Texts:
    """One frame grown alike around both wishes."""
    grammar, seed = _words(language)[0], rng.random()
    good, bad = (
        grammar.grow(
            random.Random(seed),
            frame,
            noise=None,
            **_wish(rng, grammar, kind, language, heldout),
        ).text
        for kind in ("good", "bad")
    )
    return good, bad


def _dropped(rng: random.Random, language: str, heldout: bool) -> _Texts:
    """A harmless request, and another wish in its stead."""
    grammar = _words(language)[0]
    before, good, bad = (
        _wish(rng, grammar, kind, language, heldout)["ask"] for kind in ("good", "good", "bad")
    )
    drop = grammar.grow(rng, f"drop:{language}", noise=None).text
    joint, mark = rng.choice((" ", "\n", "\n\n")), rng.choice(("", ".", "?"))
    start = f"{before}{mark}{joint}{drop}"
    return f"{start} {good}", f"{start} {bad}"


def _wish(
    rng: random.Random, grammar: Grammar, kind: str, language: str, heldout: bool
) -> dict[str, str]:
    return {
        slot: goals.phrase(rng, grammar, (f"{kind}_{slot}:{language}",), heldout=heldout)
        for slot in _SLOTS
    }


def _family(language: str, shape: str) -> str:
    return f"wrapped_tongues:{language}/{shape}"


def _example(text: str, label: Label, language: str, shape: str, family: str) -> Example:
    return Example(
        text,
        label,
        technique=f"wrapped_tongues/{shape}",
        language=language,
        family=family,
        span=None if label is Label.BENIGN else (0, len(text)),
    )
