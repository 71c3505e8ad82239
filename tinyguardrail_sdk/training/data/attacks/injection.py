"""Direct injection: overrides, prompt leaks, role hijacks, fake turns, redirected tasks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import clause, roughen
from tinyguardrail_sdk.training.data.schema import Example

FOREIGN_LANGUAGES = (
    *("de", "fr", "es", "zh", "hi", "pt", "it", "ru"),
    *("ja", "ko", "tr", "nl", "pl", "ar", "uk", "vi", "id"),
)
# Frames that read like data with an instruction in it: half of them come from a document.
_DATA_FRAMES = {
    "frame:delimiter/quotes",
    "frame:hijack/quiet_redirect",
    "frame:hijack/sentiment",
    "frame:hijack/to_ai",
    "frame:hijack/to_ai_cancel",
    "frame:hijack/to_ai_hidden",
    "frame:hijack/to_ai_two",
    "frame:override/in_the_middle",
    "frame:payload/sql",
}
# Orders and wishes for a verdict that a user may have: attacks only where a document or a tool
# result gives them.
_PLANTED_FRAMES = {
    "frame:favour/grade",
    "frame:favour/grader",
    "frame:favour/judge",
    "frame:hijack/to_ai_chore",
    "frame:hijack/to_ai_doc",
    "frame:hijack/to_ai_paper",
    "frame:hijack/to_ai_quiet",
}
_FOREIGN_SHARE = 0.22
_FOREIGN_WEIGHTS = (5, 4, 4.5, 5, 3.5, 1.5, 1.5, 1.5, *(1,) * 9)
_BARE_SHARE = 0.09  # one short clause alone
_FOREIGN_BARE = ("frame:override/bare", "frame:leak/bare")
_FOREIGN_ADDRESSED = "frame:hijack/to_ai"  # "Note for AI assistants: ..."
# An attack is one wherever it comes from; where a short clause comes from must tell least of all.
_SOURCES = (Source.USER, Source.TOOL, Source.DOCUMENT, Source.OUTPUT)
_SOURCE_WEIGHTS = (80, 8, 7, 5)
_BARE_SOURCE_WEIGHTS = (52, 18, 17, 13)


@cache
def _english() -> tuple[Grammar, Frames]:
    grammar = Grammar.load(
        "base",
        "injection",
        "injection_more",
        "injection_more2",
        "injection_short",
        "injection_favour",
    )
    return grammar, Frames(grammar, "injection")


@cache
def _bare() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("injection_bare")
    return grammar, Frames(grammar, "injection")


@cache
def _foreign(language: str) -> tuple[Grammar, Frames]:
    grammar = Grammar.load(
        "base", "injection_tongues", f"spoken_{language}", f"injection_{language}"
    )
    return grammar, Frames(grammar, f"injection-{language}")


def generate(
    rng: random.Random, count: int, *, heldout: bool = False, leads: Sequence[str] = ()
) -> Iterator[Example]:
    """Yield `count` direct injections, about one in five not in English.

    Args:
        rng: The seed's generator.
        count: How many.
        heldout: Only the frames kept for testing, or only the others.
        leads: Benign prompts for the frames that hijack one; without them the grammar writes them.
    """
    for _ in range(count):
        lead = rng.choice(leads) if leads and rng.random() < 0.7 else ""
        yield draw(rng, heldout=heldout, lead=lead)


def draw(
    rng: random.Random, *, heldout: bool = False, lead: str = "", bare_share: float = _BARE_SHARE
) -> Example:
    """One injection in a language drawn at random, in `bare_share` of cases a short clause."""
    language = "en"
    if rng.random() < _FOREIGN_SHARE:
        language = rng.choices(FOREIGN_LANGUAGES, _FOREIGN_WEIGHTS)[0]
    if rng.random() < bare_share:
        return bare(rng, language=language, heldout=heldout)
    lead = lead if language == "en" else ""
    return injection(rng, language=language, heldout=heldout, lead=lead)


def injection(
    rng: random.Random, *, language: str = "en", heldout: bool = False, lead: str = ""
) -> Example:
    """One injection in English or one of `FOREIGN_LANGUAGES`, after `lead` if its frame has one.

    A language whose frames are all on the other side of the split falls back to English.
    """
    grammar, frames = _english() if language == "en" else _foreign(language)
    if not frames.all(heldout=heldout):
        language, (grammar, frames) = "en", _english()
    symbol, technique = frames.pick(rng, heldout=heldout)
    slots = {"benign_lead": lead} if lead else {}
    grown = grammar.grow(rng, symbol, noise=roughen, **slots)
    return Example(
        text=grown.text,
        label=Label.INJECTION,
        source=_source(rng, symbol),
        technique=technique,
        language=language,
        family=frames.family(symbol),
        span=grown.span or (0, len(grown.text)),
    )


def addressed(rng: random.Random, language: str, *, heldout: bool = False) -> Example:
    """An order in a document to whichever assistant reads it, in one of `FOREIGN_LANGUAGES`.

    A language without such a frame on this side of the split gives any injection.
    """
    grammar, frames = _foreign(language)
    known = [s for s in frames.all(heldout=heldout) if s.startswith(_FOREIGN_ADDRESSED)]
    if not known:
        return injection(rng, language=language, heldout=heldout)
    symbol = rng.choice(known)
    text = grammar.grow(rng, symbol, noise=roughen).text
    return Example(
        text=text,
        label=Label.INJECTION,
        source=rng.choice((Source.DOCUMENT, Source.TOOL)),
        technique="hijack",
        language=language,
        family=frames.family(symbol),
        span=(0, len(text)),
    )


def bare(rng: random.Random, *, language: str = "en", heldout: bool = False) -> Example:
    """An override or a leak request of one clause, as the whole text.

    A language without such a frame on this side of the split falls back to English.
    """
    if language == "en":
        grammar, frames = _bare()
        symbol, technique = frames.pick(rng, heldout=heldout)
    else:
        grammar, frames = _foreign(language)
        known = [s for s in frames.all(heldout=heldout) if s.startswith(_FOREIGN_BARE)]
        if not known:
            return bare(rng, heldout=heldout)
        symbol = rng.choice(known)
        technique = "bare_leak" if "leak" in symbol else "bare_override"
    text = clause(rng, grammar.grow(rng, symbol).text)
    return Example(
        text=text,
        label=Label.INJECTION,
        source=rng.choices(_SOURCES, _BARE_SOURCE_WEIGHTS)[0],
        technique=technique,
        language=language,
        family=frames.family(symbol),
        span=(0, len(text)),
    )


def _source(rng: random.Random, symbol: str) -> Source:
    if symbol in _PLANTED_FRAMES:
        return rng.choice((Source.DOCUMENT, Source.TOOL))
    if symbol in _DATA_FRAMES and rng.random() < 0.5:
        return Source.DOCUMENT
    return rng.choices(_SOURCES, _SOURCE_WEIGHTS)[0]
