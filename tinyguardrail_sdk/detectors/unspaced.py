"""Words run together: `Ignoreallprevious`, `IgnoreAllPrevious`, `ignore_all_previous` and the like.

Nothing, one sign or an emoji stands between the words; what holds a sentence of them is read as
one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tinyguardrail_sdk.detectors import english
from tinyguardrail_sdk.detectors.letter_case import HUMPS
from tinyguardrail_sdk.detectors.nearby import Odd, stretches
from tinyguardrail_sdk.detectors.respelling import Respelled, segmented

_LEAST = 20  # characters of a chunk
_LEAST_WORDS = 5
_CHUNK = re.compile(r"\S+")
_URL = re.compile(r"((?:(?:https?|ftps?|file|wss?)://|www\.)[^\s()\[\]<>\"']*)")
_RUN = re.compile(r"([A-Za-z]+(?:'[A-Za-z]+)*)")
_CALL = re.compile(r"\b\w+\(")
_PICTURES = re.compile(r"[^\w\x00-\x7f]+")
_PUNCTUATION = ",.:;!?"
_CLOSING = ".,;:!?)]}"
_NO_BLANK = frozenset("@(")  # they are of addresses and of calls
_PICTURE = "\u2728"  # one stands for all
_LONGEST_SIGN = 3
_FOR_BLANKS = "_-+|/~*"
_LONG_NAME = 8
_HUMP = re.compile("[a-z][A-Z]")

_KNOWN_SHARE, _LOOSE_SHARE = 0.85, 0.65
_LOOSE_WORDS = 8  # so many are believed with more strange ones among them
# Words that a run must hold, and different function words of two letters and more among them.
_BY_PICTURES, _BY_NOTHING, _BY_SIGNS = (3, 0), (5, 1), (6, 2)


class _Run(NamedTuple):
    """Runs of letters that belong together, and what parts them besides punctuation."""

    words: list[str]
    sign: str


def find(text: str) -> Iterator[Respelled]:
    """Lines with unbroken chunks that hold a sentence; weight in words."""
    long = {chunk for chunk in text.split() if len(chunk) >= _LEAST}
    weights = {chunk: weight for chunk in long if (weight := _words_of_sentences(chunk))}
    if not weights:
        return
    odd = (
        Odd(*chunk.span(), weights[chunk.group()], chunk.group())
        for chunk in _CHUNK.finditer(text)
        if chunk.group() in weights
    )
    for stretch in stretches(text, odd, _LEAST_WORDS):
        view = _CHUNK.sub(lambda chunk: _opened(chunk.group()), text[stretch.start : stretch.end])
        yield Respelled(stretch.start, stretch.end, stretch.weight, view)


def _words_of_sentences(chunk: str) -> int:
    """How many words of a chunk are in runs that only a sentence makes."""
    parts = (_CALL.sub(_without_name, part) for part in _URL.split(chunk)[::2])
    return sum(_words_of(run) for part in parts for run in _runs(part))


def _without_name(call: re.Match[str]) -> str:
    name = call.group()
    return " (" if "_" in name or _HUMP.search(name) else name


def _words_of(run: _Run) -> int:
    """How many known words a run holds, 0 where they hardly make a sentence."""
    least, least_grammar = _needs(run)
    if sum(map(len, run.words)) < 3 * least:
        return 0
    words = english.lower(" ".join(map(_spaced, run.words))).split()
    known = [word for word in words if english.is_word(word)]
    grammar = {word for word in known if len(word) > 1 and english.is_grammar(word)}
    telling = sum(len(word) > 2 or word in grammar for word in known)
    share = sum(map(len, known)) / sum(map(len, words))
    believed = share >= _KNOWN_SHARE or (share >= _LOOSE_SHARE and telling >= _LOOSE_WORDS)
    return telling * (believed and telling >= least and len(grammar) >= least_grammar)


def _needs(run: _Run) -> tuple[int, int]:
    if run.sign == _PICTURE:
        return _BY_PICTURES
    plain = not run.sign and not any(map(_HUMP.search, run.words))
    return _BY_NOTHING if plain and max(map(len, run.words)) >= _LEAST else _BY_SIGNS


def _runs(part: str) -> Iterator[_Run]:
    """Runs of letters, those together that the same sign, emoji or punctuation part."""
    pieces = _RUN.split(part)
    words: list[str] = []
    sign = ""
    for gap, run in zip(pieces[::2], pieces[1::2], strict=False):
        kind = _kind(gap)
        if words and (kind is None or (sign and kind not in ("", sign))):
            yield _Run(words, sign)
            words, sign = [], ""
        sign = sign or (words and kind) or ""
        words.append(run)
    if words:
        yield _Run(words, sign)


def _kind(gap: str) -> str | None:
    """The sign in a gap that may stand for a blank, "" for punctuation, None for any other gap."""
    sign = gap.strip(_PUNCTUATION)
    if _PICTURES.fullmatch(sign):
        return _PICTURE
    return sign if len(gap) <= _LONGEST_SIGN and _NO_BLANK.isdisjoint(sign) else None


def _spaced(run: str) -> str:
    if english.is_word(run.lower()):
        return run
    return " ".join(map(_parted, HUMPS.findall(run)))


def _parted(hump: str) -> str:
    """The words in a string; a short one that is not all words is rather a name."""
    words = segmented(hump)
    known = all(map(english.is_word, english.lower(words).split()))
    return words if known or len(hump) >= _LONG_NAME else hump


def _opened(chunk: str) -> str:
    """A chunk with blanks between its words, but for its addresses."""
    parts = _URL.split(chunk)
    parts[::2] = map(_opened_part, parts[::2])
    return " ".join(filter(None, parts))


def _opened_part(part: str) -> str:
    pieces = _RUN.split(part)
    blank = _blank(pieces[::2], pieces[1::2])
    pieces[::2] = (" " if gap == blank else _opened_gap(gap) for gap in pieces[::2])
    pieces[1::2] = map(_spaced, pieces[1::2])
    return "".join(pieces).strip()


def _blank(gaps: list[str], runs: list[str]) -> str | None:
    """What parts most runs of the length of a word."""
    if len(runs) < _LEAST_WORDS or sum(map(len, runs)) > _LONG_NAME * len(runs):
        return None
    gap, times = Counter(gaps[1:-1]).most_common(1)[0]
    return gap if times >= len(runs) // 2 else None


def _opened_gap(gap: str) -> str:
    """What is left of a gap between words, with the blank that it stood for."""
    if not gap or any(map(str.isalpha, gap)):
        return gap
    sign = _PICTURES.sub("", gap).strip(_FOR_BLANKS)
    return f"{sign} " if not sign or sign[0] in _CLOSING else f" {sign} "
