"""Classical transpositions of a line or a whole text: the rail fence, and columns.

Such a text keeps its letters and loses their order. Every usual order is undone on trial; the one
that leaves the likeliest pairs of letters is believed if it leaves known words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tinyguardrail_sdk.detectors import bigrams, substitution, trials
from tinyguardrail_sdk.detectors.respelling import Respelled, segmented
from tinyguardrail_sdk.detectors.trials import SAMPLE, Piece

_Places = npt.NDArray[np.intp]

_FREQUENT = 3.65  # logarithm of how often the letters are in a thousand; random ones have some 3.1
_BETTER = 0.3  # how much likelier they must become
_RAILS = range(2, 7)
_WIDTHS = range(2, 13)
_MOST_COLUMNS = 1_000


def find(pieces: Iterable[Piece]) -> Iterator[Respelled]:
    """Pieces of a text with their letters in the order of a transposition; weight in words."""
    return trials.read(filter(_may_be_transposed, pieces), _deciphered)


def _may_be_transposed(piece: Piece) -> bool:
    """Whether the letters are as frequent as those of plain text."""
    worth = substitution.LOG_FREQUENCY[piece.letters].sum()
    return bool(worth >= _FREQUENT * len(piece.letters))


def _deciphered(piece: Piece) -> str | None:
    groups = _groups(piece.text)
    equal = len(groups) <= _MOST_COLUMNS and len(set(map(len, groups))) == 1
    columns = len(groups) if equal else _WIDTHS[0]
    together = "".join(groups).replace("_", " ")
    writings = [together]
    if len(groups) > 1:
        # The last letters in the new order may be blanks, and get lost.
        writings += (piece.text + lost for lost in ("", " ", "  "))
    return next(filter(None, (_believed(letters, columns) for letters in writings)), None)


def _groups(piece: str) -> list[str]:
    """The piece cut at its blanks: at those that cut it into equal parts if some do."""
    cuts = piece.split(" "), piece.split("\n"), piece.split()
    equal = (cut for cut in cuts if len(cut) > 1 and len(set(map(len, cut))) == 1)
    return next(equal, cuts[-1])


def _believed(letters: str, columns: int) -> str | None:
    """The letters in the order that makes them English."""
    size, codes = len(letters), bigrams.codes(letters)
    tried = (_small_openings if size <= SAMPLE else _openings)(size, columns)
    likelihoods = bigrams.likelihoods(codes[tried])
    best = int(likelihoods.argmax())
    least = max(trials.LIKELY, bigrams.likelihood(codes[:SAMPLE]) + _BETTER)
    characters = bigrams.points(letters)
    opening = bigrams.text_of(characters[tried[best]]).strip()
    if likelihoods[best] < least or not trials.is_english(opening):
        return None
    view = bigrams.text_of(characters[_orders(columns)[best].places(size, size)]).strip()
    return view if " " in view else segmented(view)


class _Order(NamedTuple):
    """Letters are written to a line each, in turn, and read line by line; or the other way round.

    Attributes:
        lines: The line that each letter of a period is written to.
        inverse: Whether the letters were read in turn from lines written one after the other.
    """

    lines: tuple[int, ...]
    inverse: bool = False

    def places(self, size: int, first: int) -> _Places:
        """Where the first letters of the plain text are in a transposed one of a size."""
        lines = np.array(self.lines)
        period, counts = len(lines), np.bincount(lines)
        sizes = size // period * counts + np.bincount(lines[: size % period], minlength=len(counts))
        ends = np.cumsum(sizes)
        at = np.arange(first)
        if self.inverse:
            line = np.searchsorted(ends, at, side="right")
            return np.asarray((at - (ends - sizes)[line]) * period + line)
        # How many letters of the same line come before each in a period: one at most.
        _, opening = np.unique(lines, return_index=True)
        before = np.arange(period) > opening[lines]
        turn = at % period
        line = lines[turn]
        return np.asarray((ends - sizes)[line] + at // period * counts[line] + before[turn])


@lru_cache(maxsize=64)
def _orders(columns: int) -> list[_Order]:
    fences = [(*range(rails), *range(rails - 2, 0, -1)) for rails in _RAILS]
    rows = [tuple(range(width)) for width in sorted({*_WIDTHS, columns})]
    return [_Order(lines, inverse) for inverse in (False, True) for lines in rows] + [
        _Order(lines) for lines in fences
    ]


def _openings(size: int, columns: int) -> _Places:
    """Row by row, where each order has the letters that decide."""
    first = min(size, SAMPLE)
    return np.array([order.places(size, first) for order in _orders(columns)])


@lru_cache(maxsize=64)
def _small_openings(size: int, columns: int) -> _Places:
    return _openings(size, columns)
