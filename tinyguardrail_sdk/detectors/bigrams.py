"""How likely a sequence of letters is in English, by its pairs of neighbours."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tinyguardrail_sdk.detectors import english

Codes = npt.NDArray[np.intp]
Points = npt.NDArray[np.uint32]

_LETTERS = 26
GAP = 26  # the code of everything but a letter
_GRAMMAR_WEIGHT = 8.0  # function words are few and frequent
_GAPS = 0.05  # share of the gaps that another gap follows


def points(text: str) -> Points:
    """The characters of a text as numbers, lone surrogates among them."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def text_of(characters: Points) -> str:
    """The text of such numbers."""
    return characters.tobytes().decode("utf-32-le", "surrogatepass")


def codes(text: str) -> Codes:
    """A number for each character: 0 to 25 for the letters, `GAP` for all else."""
    return _code_of()[np.minimum(points(text), 127)]


def likelihood(letters: Codes) -> float:
    """Logarithm of the likelihood of the letters in this order, in nats a letter."""
    return float(likelihoods(letters[np.newaxis])[0]) if len(letters) > 1 else 0.0


def likelihoods(rows: Codes) -> npt.NDArray[np.float64]:
    """The same for every row."""
    pairs = _logarithms()[rows[:, :-1], rows[:, 1:]]
    return np.asarray(pairs.sum(axis=1) / pairs.shape[1])


def likelihoods_between(before: Codes, rows: Codes, after: Codes) -> npt.NDArray[np.float64]:
    """How likely each row of letters is, each of its letters between two given ones."""
    logarithms = _logarithms()
    pairs = logarithms[before, rows] + logarithms[rows, after]
    return np.asarray(pairs.sum(axis=1))


@cache
def _code_of() -> Codes:
    table = np.full(128, GAP)
    for first in "aA":
        table[ord(first) : ord(first) + _LETTERS] = np.arange(_LETTERS)
    return table


@cache
def _logarithms() -> npt.NDArray[np.float64]:
    counts = np.ones((_LETTERS + 1, _LETTERS + 1))
    for word in filter(str.isalpha, english.kinds_of_words()):
        weight = _GRAMMAR_WEIGHT if english.is_grammar(word) and len(word) < 6 else 1.0
        for pair in _pairs(word):
            counts[pair] += weight
    counts[GAP, GAP] = _GAPS * counts[GAP].sum()
    return np.asarray(np.log(counts / counts.sum(axis=1, keepdims=True)))


def _pairs(word: str) -> Iterable[tuple[int, int]]:
    return pairwise([GAP, *(ord(letter) - ord("a") for letter in word), GAP])
