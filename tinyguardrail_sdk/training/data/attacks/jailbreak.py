"""Jailbreaks: personas, modes, fiction, suppression, pressure, configuration and suffixes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.attacks import goals, suffix
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen
from tinyguardrail_sdk.training.data.schema import Example

_SLOTS = ("goal", "clause", "soup", "goalsoup")
_LANGUAGES = {"german": "de", "french": "fr", "spanish": "es", "chinese": "zh", "hindi": "hi"}


FOREIGN_LANGUAGES = tuple(_LANGUAGES.values())
_FOREIGN_SHARE = 0.07  # a few more come from the frames of `_LANGUAGES` in the English files
_BORROWED_SHARE = 0.25
# Frames that set a scene and ask for nothing harmful themselves: the payload makes the attack.
_SCENES = (
    "fiction/",
    "hypothetical/plain",
    "hypothetical/bet",
    "hypothetical/already_know",
    "pair/expert_panel",
    "pair/company_training",
    "pair/debate",
    "crescendo/history",
    "crescendo/rewrite",
)


@cache
def _english() -> tuple[Grammar, Frames]:
    names = ("base", "jailbreak", "jailbreak_long", "jailbreak_scenarios")
    grammar = Grammar.load(*names, slots=_SLOTS)
    return grammar, Frames(grammar, "jailbreak")


@cache
def _foreign(language: str) -> tuple[Grammar, Frames]:
    grammar = Grammar.load("base", f"jailbreak_{language}", slots=_SLOTS)
    return grammar, Frames(grammar, f"jailbreak-{language}")


def generate(
    rng: random.Random, count: int, payloads: Sequence[str] = (), *, heldout: bool = False
) -> Iterator[Example]:
    """Yield `count` jailbreaks around `payloads` (harmful requests) and our own goals.

    About one in eight is in one of `FOREIGN_LANGUAGES`, mostly around a request in that language.
    """
    for _ in range(count):
        language = rng.choice(FOREIGN_LANGUAGES) if rng.random() < _FOREIGN_SHARE else "en"
        yield jailbreak(rng, payloads, language=language, heldout=heldout)


def jailbreak(
    rng: random.Random,
    payloads: Sequence[str] = (),
    *,
    language: str = "en",
    heldout: bool = False,
) -> Example:
    """One jailbreak in English or one of `FOREIGN_LANGUAGES`.

    A language whose frames are all on the other side of the split falls back to English.
    """
    grammar, frames = _english() if language == "en" else _foreign(language)
    if not frames.all(heldout=heldout):
        language, (grammar, frames) = "en", _english()
    if language == "en" or rng.random() < _BORROWED_SHARE:
        payload = goals.pick(rng, payloads, heldout=heldout)
    else:
        payload = _own_request(rng, grammar, heldout=heldout)
    symbol, technique = frames.pick(rng, heldout=heldout)
    grown = grammar.grow(
        rng,
        symbol,
        noise=roughen,
        goal=payload,
        clause=goals.as_clause(payload),
        soup=suffix.soup(rng),
        goalsoup=suffix.inside(rng, payload),
    )
    return Example(
        text=grown.text,
        label=Label.JAILBREAK,
        technique=technique,
        language=_LANGUAGES.get(symbol.rpartition("/")[2], language),
        family=frames.family(symbol),
        span=(0, len(grown.text)),
    )


@dataclass(frozen=True)
class Scene:
    """A frame grown around a wish, with the technique and the family of its frame."""

    text: str
    technique: str
    family: str


def scene(rng: random.Random, *, heldout: bool = False, **slots: str) -> Scene:
    """Grow a frame that only sets a scene; `slots` stand for symbols of its grammar."""
    grammar, frames = _english()
    known = [s for s in grammar.symbols("frame:") if s.removeprefix("frame:").startswith(_SCENES)]
    symbols = [s for s in known if s in frames.all(heldout=heldout)]
    symbol = rng.choice(symbols)
    text = grammar.grow(rng, symbol, noise=None, **{"soup": "", "goalsoup": "", **slots}).text
    return Scene(text, symbol.removeprefix("frame:").split("/")[0], frames.family(symbol))


def _own_request(rng: random.Random, grammar: Grammar, *, heldout: bool) -> str:
    while goals.is_held_out(text := grammar.grow(rng, "request").text) != heldout:
        pass
    return text
