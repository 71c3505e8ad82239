"""The Vigenere cipher with an unknown key: a Caesar shift of its own for each place of the key.

The letters at one place of the key are a Caesar cipher. Their frequencies give its shift, and pairs
of neighbours correct it; only a key that leaves known words is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from tinyguardrail_sdk.detectors import bigrams, substitution, trials
from tinyguardrail_sdk.detectors.respelling import Respelled, segmented
from tinyguardrail_sdk.detectors.trials import SAMPLE, Piece

_Shifts = npt.NDArray[np.intp]

_KEYS = range(2, 9)  # lengths
_ALL_SHIFTS = np.arange(26)[:, np.newaxis]
_LEAST = 40  # letters
_LETTERS_A_PLACE = 7
_FLAT = 3.75  # logarithm of how often the letters are in a thousand; those of plain text have more
# Repeated signs come out as the key again and again: placeholders, laughter, sequences.
_VARIETY = 10  # different letters
_MOST_OF_ONE = 0.3  # share of the letters
_ONE_CASE = 0.8  # share of the letters; encoded data mixes cases
_BEST = 3  # lengths that are corrected
_ROUNDS = 2
_LITTLE = 0.1  # share of a piece


def find(pieces: Iterable[Piece]) -> Iterator[Respelled]:
    """Pieces of a text in a Vigenere cipher; weight in words."""
    return trials.read(_without_repeats(filter(_may_be_ciphered, pieces)), _deciphered)


def _without_repeats(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces but for those that are nearly all of a larger one before them."""
    larger = None
    for piece in pieces:
        if larger is None or not _is_nearly_all(piece, larger):
            larger = piece
            yield piece


def _is_nearly_all(piece: Piece, larger: Piece) -> bool:
    """Whether the letters that decide are much the same, so that the key is."""
    left_out = piece.start - larger.start
    return 0 <= left_out <= _LITTLE * min(SAMPLE, len(larger.text)) and len(piece.text) >= (
        1 - _LITTLE
    ) * len(larger.text)


def _deciphered(piece: Piece) -> str | None:
    sample = piece.text[:SAMPLE]
    codes = bigrams.codes(sample)
    keys = sorted(_keys(piece.letters), key=lambda one: -one[0])[:_BEST]
    corrected = [_corrected(codes, key) for _, key in keys]
    likelihoods = [bigrams.likelihood(_plain(codes, key)) for key in corrected]
    key = corrected[int(np.argmax(likelihoods))]
    # One shift for all is a Caesar cipher.
    if max(likelihoods) < trials.LIKELY or len(set(key.tolist())) == 1:
        return None
    if trials.is_english(_shifted(sample, key)):
        return _shifted(piece.text, key)
    if trials.is_english("".join(_shifted(sample, key).split())):
        return segmented("".join(_shifted(piece.text, key).split()))
    return None


def _may_be_ciphered(piece: Piece) -> bool:
    """Whether the letters are as frequent as those of several alphabets mixed, and of one case."""
    size = len(piece.letters)
    if size < _LEAST or substitution.LOG_FREQUENCY[piece.letters].sum() >= _FLAT * size:
        return False
    counts = np.bincount(piece.letters)
    if np.count_nonzero(counts) < _VARIETY or counts.max() > _MOST_OF_ONE * size:
        return False
    small = sum(map(str.islower, piece.text[:SAMPLE]))
    return max(small, size - small) >= _ONE_CASE * size


def _keys(letters: bigrams.Codes) -> Iterator[tuple[float, _Shifts]]:
    """The likeliest key of each length, and how frequent the letters are that it gives."""
    for length in _KEYS:
        if len(letters) >= _LETTERS_A_PLACE * length:
            places = np.arange(len(letters)) % length
            counts = np.bincount(26 * places + letters, minlength=26 * length)
            worth = substitution.WORTH[:26] @ counts.reshape(length, 26).T
            yield float(worth.max(axis=0).sum()), worth.argmax(axis=0)


def _corrected(codes: bigrams.Codes, key: _Shifts) -> _Shifts:
    """The key, each of its places set to what the pairs of letters are likeliest with."""
    places = _places(codes, len(key))
    key = key.copy()
    plain = np.concatenate(([bigrams.GAP], _plain(codes, key), [bigrams.GAP]))
    here = [np.flatnonzero(places == place) for place in range(len(key))]
    for place in (*range(len(key)),) * _ROUNDS:
        at = here[place]
        rows = (codes[at] - _ALL_SHIFTS) % 26
        # Neighbours are at other places of the key, which stay as they are.
        key[place] = bigrams.likelihoods_between(plain[at], rows, plain[at + 2]).argmax()
        plain[at + 1] = rows[key[place]]
    return key


def _places(codes: bigrams.Codes, length: int) -> bigrams.Codes:
    """At which place of the key each letter is; -1 where there is none."""
    is_letter = codes != bigrams.GAP
    return np.where(is_letter, (np.cumsum(is_letter) - 1) % length, -1)


def _plain(codes: bigrams.Codes, key: _Shifts) -> bigrams.Codes:
    places = _places(codes, len(key))
    return np.where(places < 0, codes, (codes - key[places]) % 26)


def _shifted(text: str, key: _Shifts) -> str:
    codes = bigrams.codes(text)
    moved = _plain(codes, key) - codes
    return bigrams.text_of((bigrams.points(text) + moved).astype(np.uint32))
