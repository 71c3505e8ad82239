"""What two near copies of a text have in common: its runs of five words."""

from __future__ import annotations

import re

_WIDTH = 5
# Scripts written without spaces: every letter counts as a word.
_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_DIGITS = re.compile(r"\d+")


def shingles(text: str) -> set[str]:
    """Five-word runs of a text, without case and punctuation, and all numbers alike.

    A shorter text has one, of all its words, and a text without words has itself: they are near
    nothing but their own copies. Numbers count where they are most of the words, as in codes.
    """
    words = _WORD.findall(text.lower())
    if not words:
        return {text}
    if 2 * sum(map(str.isdigit, words)) <= len(words):
        words = [_DIGITS.sub("0", word) for word in words]
    return {" ".join(words[i : i + _WIDTH]) for i in range(max(1, len(words) - _WIDTH + 1))}
