r"""Words whose letters are drawn with several signs each, as in `|\|0\/\/`: hard leetspeak."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tinyguardrail_sdk.detectors import english
from tinyguardrail_sdk.detectors.respelling import EITHER, LEET, Respelled, guesses

# What stands in the same place in several drawings goes first: `\/\/` is no pair of v.
_DRAWINGS = {
    "\\/\\/": "w", "|\\/|": "m", "|V|": "m", "|v|": "m", "|\\|": "n", "|-|": "h", "|_|": "u",
    "\\/": "v", "|)": "d", "|<": "k", "|2": "r", "|=": "f", "|>": "p", "><": "x",
}  # fmt: skip
_DRAWN = re.compile("|".join(map(re.escape, _DRAWINGS)))
_SINGLE = {**LEET, ord("#"): ord("h")}
_LEAST_DRAWN = 3
_LEAST_WORDS = 3
_LEAST_DRAWN_WORDS = 2
_LONGEST = 60  # signs in a word
_KNOWN_SHARE = 0.7
_EDGE = ".,;:?\"'"


def find(text: str) -> Iterator[Respelled]:
    """Lines that read as English once their drawings are letters; weight in words."""
    if "|" not in text and "\\/" not in text:
        return
    start = 0
    for line in text.splitlines(keepends=True):
        if len(_DRAWN.findall(line)) >= _LEAST_DRAWN:
            chunks = line.split()
            words = [_read(chunk) for chunk in chunks]
            known = sum(map(_is_known, words))
            drawn = sum(map(_is_drawn, chunks, words))
            if drawn >= _LEAST_DRAWN_WORDS and known >= max(
                _LEAST_WORDS, _KNOWN_SHARE * len(words)
            ):
                yield Respelled(start, start + len(line.rstrip()), known, " ".join(words))
        start += len(line)


def _is_drawn(chunk: str, word: str) -> bool:
    """Whether a chunk is a word with drawings in it, not a sign beside plain words."""
    return len(word.strip(_EDGE)) > 1 and bool(_DRAWN.search(chunk)) and _is_known(word)


def _is_known(word: str) -> bool:
    return english.is_word(word.strip(_EDGE))


def _read(chunk: str) -> str:
    """The word that a chunk draws; the chunk itself where it draws none."""
    if len(chunk) > _LONGEST:
        return chunk
    spelt = _DRAWN.sub(lambda drawing: _DRAWINGS[drawing.group()], chunk)
    spelt = spelt.lower().translate(_SINGLE)
    known = filter(_is_known, guesses(spelt))
    return next(known, EITHER.sub("i", spelt))
