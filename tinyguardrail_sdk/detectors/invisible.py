"""Characters that nobody sees: smuggled text, split words, reversed display.

Many of them have honest work to do (joining emoji, shaping Persian, flags, hyphenation, keeping
Hebrew in order), so each check names the company in which its character is at home.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyguardrail_sdk.detectors import english, override
from tinyguardrail_sdk.detectors.match import Match, distinct, whole_word
from tinyguardrail_sdk.labels import Pattern
from tinyguardrail_sdk.normalize import Canonical

_ZERO = "\u200b-\u200d\u2060-\u2064\ufeff\u180e\u034f\u115f\u1160\u3164\uffa0\u200e\u200f\u061c"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_ANY = re.compile(
    f"[{_ZERO}{_SELECTORS}\u00ad\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0001-\U000e007f]"
)

_TAGS = re.compile("\U0001f3f4?[\U000e0020-\U000e007f]+")
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
_SELECTOR_RUN = re.compile(f"[{_SELECTORS}]{{2,}}")
_LONE_SELECTOR = re.compile(f"(?<=[A-Za-z ])[{_SELECTORS}]")
_ZERO_RUN = re.compile(f"[{_ZERO}]{{8,}}")
# Scripts that never need a joiner, non-joiner or break between two of their letters.
_PLAIN_LETTER = "A-Za-z0-9\u00c0-\u024f\u0370-\u04ff\u1e00-\u1eff\u3040-\u30ff\u3400-\u9fff"
_SPLIT = re.compile(f"(?<=[{_PLAIN_LETTER}])[{_ZERO}]+(?=[{_PLAIN_LETTER}])")
_HYPHENS = re.compile("(?:[^\\W\\d_]{1,2}\u00ad){2,}[^\\W\\d_]{1,2}")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_BIDI = re.compile("[\u202d\u202e]([^\u202c\n]*)\u202c?")
_EMBEDDING = re.compile("[\u202a\u202b\u2066-\u2068]")
_ANNOTATION = re.compile("\ufff9[^\ufff9-\ufffb]*\ufffa([^\ufff9-\ufffb]*)\ufffb?")
_HIDDEN = re.compile(f"[{_ZERO}{_SELECTORS}\u00ad\u202a-\u202e\u2066-\u2069]")


def find(canonical: Canonical) -> list[Match]:
    """Every use of invisible characters that their surroundings do not explain."""
    raw = canonical.raw
    if raw.isascii() or not _ANY.search(raw):
        return []
    checks = (_tags, _selectors, _binary, _split_words, _hyphens, _reversals, _annotations)
    return distinct(match for check in checks for match in check(raw))


def _match(score: float, span: tuple[int, int], reason: str, view: str | None = None) -> Match:
    if view is not None:
        score = max(score, override.strength(view))
    return Match(Pattern.INVISIBLE, score, *span, reason, view)


def _tags(raw: str) -> Iterator[Match]:
    for run in _TAGS.finditer(raw):
        if _FLAG.fullmatch(run.group()):
            continue
        view = "".join(chr(ord(tag) - 0xE0000) for tag in run.group().lstrip("\U0001f3f4"))
        view = view.replace("\x7f", "")
        score = 0.9 if len(view) >= 3 else 0.4
        yield _match(score, run.span(), "text smuggled in Unicode tags", view or None)


def _selectors(raw: str) -> Iterator[Match]:
    for run in _SELECTOR_RUN.finditer(raw):
        view = _printable(bytes(map(_selector_byte, run.group())))
        score = 0.9 if view and len(view) >= 3 else 0.5 if len(run.group()) > 3 else 0.2
        yield _match(score, run.span(), "bytes smuggled in variation selectors", view)
    lone = [found.start() for found in _LONE_SELECTOR.finditer(raw)]
    if len(lone) >= 3:
        view = _printable(bytes(_selector_byte(raw[place]) for place in lone))
        yield _match(0.6, (lone[0], lone[-1] + 1), "variation selectors on plain letters", view)


def _selector_byte(selector: str) -> int:
    code = ord(selector)
    return code - 0xFE00 if code <= 0xFE0F else code - 0xE0100 + 16


def _binary(raw: str) -> Iterator[Match]:
    for run in _ZERO_RUN.finditer(raw):
        view = _from_two_marks(run.group())
        score = 0.9 if view else 0.5
        yield _match(score, run.span(), "a long run of zero-width characters", view)


def _from_two_marks(run: str) -> str | None:
    """Read a run of two kinds of zero-width marks as bits, whichever of them is the zero."""
    marks = sorted(set(run))
    if len(marks) > 3:
        return None
    for zero, one in ((0, 1), (1, 0)):
        for bits in (run, run.replace(marks[-1], "") if len(marks) == 3 else ""):
            if len(marks) < 2 or len(bits) < 16:
                continue
            digits = bits.translate({ord(marks[zero]): "0", ord(marks[one]): "1"})
            if set(digits) <= {"0", "1"}:
                size = len(digits) // 8
                view = _printable(int(digits[: size * 8], 2).to_bytes(size, "big"))
                if view:
                    return view
    return None


def _printable(data: bytes) -> str | None:
    try:
        text = data.strip(b"\0").decode()
    except UnicodeDecodeError:
        return None
    return text if text and text.replace("\n", "").replace("\t", "").isprintable() else None


def _split_words(raw: str) -> Iterator[Match]:
    found = [split.span() for split in _SPLIT.finditer(raw)]
    if not found:
        return
    start, end = whole_word(raw, found[0][0], found[-1][1], reach=40)
    view = _HIDDEN.sub("", raw[start:end])
    score = 0.2 if len(found) == 1 else 0.45 if len(found) < 4 else 0.75
    yield _match(score, (start, end), "invisible characters inside words", view)


def _hyphens(raw: str) -> Iterator[Match]:
    found = [word.span() for word in _HYPHENS.finditer(raw)]
    if found:
        start, end = whole_word(raw, found[0][0], found[-1][1], reach=40)
        view = _HIDDEN.sub("", raw[start:end])
        score = 0.45 if len(found) == 1 else 0.7
        yield _match(score, (start, end), "soft hyphens between single letters", view)


def _reversals(raw: str) -> Iterator[Match]:
    at_home = bool(_RIGHT_TO_LEFT.search(raw))
    for forced in _BIDI.finditer(raw):
        inner = forced.group(1)
        if not inner:
            continue
        score = 0.2 if at_home else 0.7
        yield _match(score, forced.span(), "forced text direction", _more_english(inner))
    if not at_home:
        marks = [mark.start() for mark in _EMBEDDING.finditer(raw)]
        if marks:
            score = 0.15 if len(marks) < 4 else 0.4
            yield _match(score, (marks[0], marks[-1] + 1), "text direction marks without need")


def _more_english(text: str) -> str:
    """What is meant: the characters as stored, or as the forced direction displays them."""
    text = _HIDDEN.sub("", text)
    return max(text, text[::-1], key=english.share_known)


def _annotations(raw: str) -> Iterator[Match]:
    for note in _ANNOTATION.finditer(raw):
        yield _match(0.6, note.span(), "text in an interlinear annotation", note.group(1) or None)
