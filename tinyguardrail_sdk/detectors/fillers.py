"""Children's languages such as Opish and Ubbi Dubbi: a filler at every consonant or vowel."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial

from tinyguardrail_sdk.detectors import english, wordwise
from tinyguardrail_sdk.detectors.english import Words
from tinyguardrail_sdk.detectors.respelling import Respelled
from tinyguardrail_sdk.detectors.wordwise import Reader

_VOWELS = "aeiou"
_REPEATED = re.compile(rf"(?=([{_VOWELS}][a-z]{{1,3}})[a-z]{{0,3}}\1)")
_ECHO = re.compile(rf"([{_VOWELS}])([b-df-hj-np-tv-z])\1")
_LEAST_FILLED = 3
_LEAST_FILLED_LETTERS = 6
_CANDIDATES = 3  # fillers that are tried


def find(text: str, words: Words) -> Iterator[Respelled]:
    """Stretches of words with a filler at every consonant or vowel; weight in words."""
    if wordwise.THREE_UNKNOWN_WORDS.search(words.kinds) and (read := _without_filler(words)):
        yield from wordwise.reread(text, english.locate(text), read)


def _without_filler(words: Words) -> Reader | None:
    """What takes out the filler that most of the strange words have; None if there is none."""
    strange = wordwise.unknown_words(words, _LEAST_FILLED_LETTERS)
    if len(strange) < _LEAST_FILLED:
        return None
    known = {
        pattern: sum(english.is_word(pattern.sub(r"\1", token)) for token in strange)
        for pattern in _fillers(strange)
    }
    best = max(known, key=known.__getitem__, default=None)
    if best is None or known[best] < max(
        _LEAST_FILLED, sum(map(bool, map(best.search, strange))) / 2
    ):
        return None
    return wordwise.by_rule(partial(best.sub, r"\1"))


def _fillers(strange: set[str]) -> Iterator[re.Pattern[str]]:
    """What may stand between the letters, likeliest first; a pattern keeps the letter beside it."""
    fillers, echoes = Counter[str](), Counter[str]()
    for token in strange:
        fillers.update({one[1] for one in _REPEATED.finditer(token)})
        echoes.update({one[2] for one in _ECHO.finditer(token)})
    for filler, count in sorted(fillers.items(), key=_most_first)[:_CANDIDATES]:
        if count >= _LEAST_FILLED:
            yield re.compile(f"([^{_VOWELS}]){filler}")
            yield re.compile(f"{filler}([{_VOWELS}y])")
    for echo, count in sorted(echoes.items(), key=_most_first)[:1]:
        if count >= _LEAST_FILLED:
            yield re.compile(rf"([{_VOWELS}]){echo}\1")


def _most_first(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]
