"""Words dressed in look-alike characters: other scripts, styled alphabets, stacked accents.

The normaliser has already decided what each character stands for, in the company it keeps.
Here that work is measured: which words had to be undressed, how many, and from what. Accents that
it left, for a language might have them, go where no language has so many.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tinyguardrail_sdk.detectors import override
from tinyguardrail_sdk.detectors.match import Match, blocks, distinct
from tinyguardrail_sdk.labels import Pattern
from tinyguardrail_sdk.normalize import Canonical

_FOREIGN = (
    "\u0370-\u0587\u13a0-\u167f\u1c80-\u1c8f\u1f00-\u1fff\u2c80-\u2cff\u2d30-\u2d7f"
    "\ua4d0-\ua4ff\ua640-\ua69f\uab70-\uabbf\U00010400-\U0001044f"
)
_STYLED = (
    "\u0262\u026a\u0274\u0280\u028f\u0299\u029c\u029f\u02b0-\u02b8\u1d00-\u1dbf\u2070-\u209c\u2102-\u2138"
    "\u2460-\u24ff\u2c7c\ua730-\ua731\ua7af\uff21-\uff5a\U0001d400-\U0001d7ff\U0001f110-\U0001f1ff"
)
_IMITATOR = re.compile(f"[{_FOREIGN}{_STYLED}]")
_FOREIGN_LETTER = re.compile(f"[{_FOREIGN}]")
_WORD = re.compile(r"\S+")
_LETTERS = re.compile("[A-Za-z]")
_ACCENT = re.compile("[\u0300-\u036f]")
_PHONETIC = re.compile("[ˈˌːəɔæŋθðʃʒʊɛɑɒ]")
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
_STACKED = re.compile(
    rf"(?:[A-Za-z][{_MARKS}]{{3,40}}|(?:[A-Za-z][\u0334-\u0338\u035c-\u0362\u20d0-\u20ff]{{1,3}}){{4}})"
)

# Accents that no letter of Unicode has, on so many letters: no language is spelled like this.
_ACCENTED_SHARE, _LEAST_ACCENTED = 0.15, 8

_MIXED_SCORES = (0.0, 0.35, 0.6, 0.8)
_STYLED_SCORES = (0.0, 0.25, 0.4, 0.5, 0.6)
_STYLED_LETTERS = 3


@dataclass(frozen=True, slots=True)
class _Dressed:
    start: int
    end: int
    styled: bool


def find(canonical: Canonical) -> list[Match]:
    """A match for every line with dressed words, spanning from the first of them to the last."""
    raw = canonical.raw
    if raw.isascii():
        return []
    matches = list(_accented(canonical))
    if canonical.offsets is None and canonical.text == raw:
        return matches
    matches += _stacked(canonical)
    if _IMITATOR.search(raw):
        words = list(_dressed(canonical))
        matches += _judge(canonical, [word for word in words if not word.styled], _MIXED_SCORES)
        matches += _judge(canonical, [word for word in words if word.styled], _STYLED_SCORES)
    return distinct(matches)


def _dressed(canonical: Canonical) -> Iterator[_Dressed]:
    """Words that the normaliser turned into Latin letters, wholly or in part."""
    raw = canonical.raw
    asian = bool(_EAST_ASIAN.search(raw))
    for word in _WORD.finditer(raw):
        text = word.group()
        if text.isascii() or not _IMITATOR.search(text):
            continue
        folded = _folded(canonical, *word.span())
        gained = len(_LETTERS.findall(folded)) - len(_LETTERS.findall(text))
        if gained <= 0:
            continue
        foreign = bool(_FOREIGN_LETTER.search(text))
        if not foreign and (gained < _STYLED_LETTERS or asian or _PHONETIC.search(text)):
            continue
        yield _Dressed(*word.span(), not foreign)


def _judge(
    canonical: Canonical, words: list[_Dressed], scores: tuple[float, ...]
) -> Iterator[Match]:
    base = scores[min(len(words), len(scores) - 1)]
    reason = "letters of another script inside Latin words"
    if words and words[0].styled:
        reason = "words in a styled alphabet"
    elif not canonical.text.isascii() and _mostly_foreign(canonical.text):
        base *= 0.4
    for start, end in _by_line(canonical.raw, words):
        view = _folded(canonical, start, end)
        score = max(base, override.strength(view))
        yield Match(Pattern.HOMOGLYPH, score, start, end, reason, view)


def _mostly_foreign(text: str) -> bool:
    return len(_FOREIGN_LETTER.findall(text)) > len(_LETTERS.findall(text))


def _by_line(raw: str, words: list[_Dressed]) -> Iterator[tuple[int, int]]:
    if not words:
        return
    start, end = words[0].start, words[0].end
    for word in words[1:]:
        if "\n" in raw[end : word.start]:
            yield start, end
            start = word.start
        end = word.end
    yield start, end


def _stacked(canonical: Canonical) -> Iterator[Match]:
    found = [one.span() for one in _STACKED.finditer(canonical.raw)]
    if not found:
        return
    start, end = found[0][0], found[-1][1]
    view = _folded(canonical, start, end)
    score = max(0.3 if len(found) == 1 else 0.6, override.strength(view))
    yield Match(Pattern.HOMOGLYPH, score, start, end, "letters buried in combining marks", view)


def _accented(canonical: Canonical) -> Iterator[Match]:
    """Lines whose letters wear accents that they have in no language."""
    text = canonical.text
    for start, end in blocks(text, _ACCENT):
        if _wears_accents(text[start:end]):
            view = _ACCENT.sub("", text[start:end])
            score = max(0.6, override.strength(view))
            span = canonical.span(start, end)
            yield Match(Pattern.HOMOGLYPH, score, *span, "accents that no language has", view)


def _wears_accents(text: str) -> bool:
    marks = len(_ACCENT.findall(text))
    return marks >= _LEAST_ACCENTED and marks >= _ACCENTED_SHARE * len(_LETTERS.findall(text))


def _folded(canonical: Canonical, start: int, end: int) -> str:
    """The canonical text of a raw span."""
    if canonical.offsets is None:
        return canonical.text[start:end]
    first, last = np.searchsorted(canonical.offsets, (start, end))
    return canonical.text[int(first) : int(last)]
