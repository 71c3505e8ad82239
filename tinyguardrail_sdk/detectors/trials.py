"""Deciphering on trial: which parts of a text may be ciphered as a whole, and what is English."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tinyguardrail_sdk.detectors import bigrams, english
from tinyguardrail_sdk.detectors.english import Words
from tinyguardrail_sdk.detectors.match import lines
from tinyguardrail_sdk.detectors.respelling import Respelled, segmented

SAMPLE = 400  # characters that decide
LIKELY = -3.3  # likelihood of pairs of letters from which words are looked for; lowest unspaced

# Six strange words nearly in a row, or one that is many words without their spaces.
_SIX_STRANGE_WORDS = re.compile(r"(?:[uxk1M][^uxk1M]{0,2}){5}[uxk1M]")
_LONG_WORD = 20
_LEAST = 20  # characters; fewer come out as words in too many ways
_PLAIN_SHARE = 0.3  # of known words, from which a part is not ciphered
_PLAIN = -3.1  # likelihood of pairs of letters, from which it is not; other languages have more
_LETTER_SHARE = 0.55
_UNSPACED = 120  # characters that decide where there are no spaces, which takes long
_KNOWN_SHARE = 0.55
_LONG_SHARE = 0.5  # of letters in known words of some length, for short ones are in any letters
_TRIALS = 50
_CHARACTERS_A_TRIAL = 400  # of the pieces of a long text
_INTRODUCED = re.compile(r"(?:[:=]|->|=>)\s")
_OPENING = re.compile("[\"“`'«]")
_CLOSING = "\"”`'»"


class Piece(NamedTuple):
    """A part of a text without blanks at its ends, and the codes of its letters as far as tried."""

    start: int
    text: str
    letters: bigrams.Codes


def pieces(text: str, words: Words) -> list[Piece]:
    """What may be ciphered: the text as a whole and each of its lines, larger pieces first."""
    longest = max(map(len, words.tokens), default=0)
    if longest < _LONG_WORD and not _SIX_STRANGE_WORDS.search(words.kinds):
        return []
    found = (_piece(text, *part) for part in _parts(text))
    return [piece for piece in found if piece]


def read(pieces: Iterable[Piece], decipher: Callable[[Piece], str | None]) -> Iterator[Respelled]:
    """The pieces that can be deciphered, but for those inside another one; weight in words.

    A trial takes long. In a text with more strange pieces than `_TRIALS` for its length, half of
    the trials go to the largest and half to some of every size: the others are not read, so many
    decoys may hide a piece that is smaller than they are.
    """
    pieces = list(pieces)
    tried = _to_try({piece.text for piece in pieces})
    views: dict[str, str | None] = {}
    reach = 0
    for piece in pieces:
        if piece.start < reach or piece.text not in tried:
            continue
        if piece.text not in views:
            views[piece.text] = decipher(piece)
        if view := views[piece.text]:
            reach = piece.start + len(piece.text)
            yield Respelled(piece.start, reach, len(view.split()), view)


def _to_try(texts: set[str]) -> set[str]:
    """As many of the texts as may be tried."""
    by_size = sorted(texts, key=lambda text: (-len(text), text))
    half = max(_TRIALS, sum(map(len, texts)) // _CHARACTERS_A_TRIAL) // 2
    others = by_size[half:]
    return {*by_size[:half], *others[:: max(1, -(-len(others) // half))]}


def is_english(sample: str) -> bool:
    """Whether a trial came out as words, with spaces between them or without any."""
    if " " in sample:
        return english.share_known(sample) >= _KNOWN_SHARE
    letters = english.lower(sample[:_UNSPACED])
    words = segmented(letters).split()
    long = sum(len(word) for word in words if len(word) > 3 and english.is_word(word))
    return long >= _LONG_SHARE * len(letters)


def _parts(text: str) -> Iterator[tuple[int, int]]:
    yield from _ways_to_cut(text, 0, len(text))
    for start, end in lines(text):
        if _LEAST <= end - start < len(text):
            yield from _ways_to_cut(text, start, end)


def _ways_to_cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """All of a line, what follows an introduction, what is quoted."""
    yield start, end
    if introduced := _INTRODUCED.search(text, start, end):
        yield introduced.end(), end
    if opened := _OPENING.search(text, start, end):
        closed = max(text.rfind(mark, opened.end(), end) for mark in _CLOSING)
        yield opened.end(), end if closed < 0 else closed


def _piece(text: str, start: int, end: int) -> Piece | None:
    """The piece if its pairs of letters and its words are not those of a language."""
    whole = text[start:end]
    piece = whole.strip()
    sample = piece[:SAMPLE]
    if len(piece) < _LEAST or bigrams.likelihood(codes := bigrams.codes(sample)) >= _PLAIN:
        return None
    letters = codes[codes != bigrams.GAP]
    written = len(sample) - sum(map(sample.count, " _\n"))
    if len(letters) < _LETTER_SHARE * written or english.share_known(sample) >= _PLAIN_SHARE:
        return None
    return Piece(start + len(whole) - len(whole.lstrip()), piece, letters)
