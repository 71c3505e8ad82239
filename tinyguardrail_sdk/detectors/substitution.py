"""Letters exchanged for others: Caesar shifts, ROT13 among them, Atbash, and neighbouring keys.

Such a text is a run of strings that are no words. Letter frequencies name the likeliest shifts, and
only a shift that turns most of the run into words is believed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from string import ascii_letters, ascii_lowercase

import numpy as np

from tinyguardrail_sdk.detectors import english
from tinyguardrail_sdk.detectors.english import Words

ROT13 = 13
# What is no shift has a number above all shifts.
ATBASH, RIGHT_KEYS, LEFT_KEYS = 26, 27, 28

# Three strange words in a row; a run also carries numbers, breaks and a known word here and there.
_STRANGE = re.compile(r"(?:[uxk1][.#M]{0,2}){3}")
_RUN = re.compile(r"[uxk](?:[uxk1.#M]|[^uxk1.#MO](?=[.#]{0,2}[uxk1]))*")
_MIN_LETTERS = 10
_SAMPLE = 32
_KNOWN_SHARE = 0.62
_MIN_WORDS = 2  # of three letters and more: short ones come out of any letters
_CANDIDATES = 5

# The letters from the most to the least frequent in English, and how often each is in a thousand.
_BY_FREQUENCY = "etaoinshrdlcumwfgypbvkjxqz"
_PER_THOUSAND = "127 91 82 75 70 67 63 61 60 43 40 28 28 24 24 22 20 20 19 15 10 8 2 2 1 1"
_FREQUENCY = dict(zip(_BY_FREQUENCY, map(int, _PER_THOUSAND.split()), strict=True))
LOG_FREQUENCY = np.log([_FREQUENCY[letter] for letter in ascii_lowercase])
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_TO_LEFT = {key: row[at - 1] for row in _KEYS for at, key in enumerate(row)}
_TO_RIGHT = {left: key for key, left in _TO_LEFT.items()}
# What each letter stands for, under each shift and then under each of the others.
_ALPHABETS = [ascii_lowercase[-shift:] + ascii_lowercase[:-shift] for shift in range(26)]
_ALPHABETS += [
    ascii_lowercase[::-1],
    "".join(map(_TO_LEFT.__getitem__, ascii_lowercase)),
    "".join(map(_TO_RIGHT.__getitem__, ascii_lowercase)),
]
# One row for each alphabet: what each cipher letter is worth.
WORTH = np.array(
    [[LOG_FREQUENCY[ord(letter) - ord("a")] for letter in each] for each in _ALPHABETS]
)


def find(
    text: str, words: Words, wanted: Callable[[int], bool]
) -> Iterator[tuple[int, int, int, str]]:
    """Runs of exchanged letters: start, end, the alphabet's number and what was written.

    Args:
        text: The text that `words` was read from.
        words: Its words, with or without places.
        wanted: Which alphabets to try: a shift, `ATBASH` and the like.
    """
    if not any(_readings(words, wanted)):
        return
    located = english.locate(text)
    for first, last, shift in _readings(located, wanted):
        start, end = located.spans[first][0], located.spans[last - 1][1]
        yield start, end, shift, text[start:end].translate(_table(shift))


def _readings(words: Words, wanted: Callable[[int], bool]) -> Iterator[tuple[int, int, int]]:
    """Runs of strange words, first and one past the last, and the shift that makes them English."""
    if not _STRANGE.search(words.kinds):
        return
    for run in _RUN.finditer(words.kinds):
        first, last = run.span()
        # Sample after sample, for what opens a run may be a decoy.
        for at in range(first, last, _SAMPLE):
            start = min(at, max(first, last - _SAMPLE))
            shift = _believed(set(words.tokens[start : min(last, start + _SAMPLE)]), wanted)
            if shift is not None:
                yield max(first, at - _SAMPLE), last, shift
                break


def _believed(tokens: set[str], wanted: Callable[[int], bool]) -> int | None:
    """The shift that turns most of a sample into words."""
    sample = {token for token in tokens if token.isalpha()}
    letters = "".join(sample)
    if len(letters) < _MIN_LETTERS or not letters.isascii():
        return None
    shifts = _likeliest(letters, wanted)
    return next((shift for shift in shifts if _mostly_words(sample, _table(shift))), None)


def _mostly_words(sample: set[str], table: dict[int, int]) -> bool:
    known = [word for word in " ".join(sample).translate(table).split() if english.is_word(word)]
    telling = sum(len(word) > 2 for word in known) >= _MIN_WORDS
    return telling and sum(map(len, known)) >= _KNOWN_SHARE * sum(map(len, sample))


def _likeliest(letters: str, wanted: Callable[[int], bool]) -> list[int]:
    """The shifts that make the letters look more like English than they do as they stand."""
    codes = np.frombuffer(letters.encode("ascii"), np.uint8) - ord("a")
    worth = WORTH @ np.bincount(codes, minlength=26)
    better = np.argsort(-worth)[:_CANDIDATES]
    shifts = [int(row) for row in better if worth[row] > worth[0]]
    return [shift for shift in shifts if wanted(shift)]


def _table(shift: int) -> dict[int, int]:
    plain = _ALPHABETS[shift]
    return str.maketrans(ascii_letters, plain + plain.upper())
