"""Words without their vowels, or without all but a vowel that opens them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, partial

from tinyguardrail_sdk.detectors import english, wordwise
from tinyguardrail_sdk.detectors.english import Words
from tinyguardrail_sdk.detectors.respelling import Respelled
from tinyguardrail_sdk.detectors.runs import runs

_VOWELS = "aeiou"
_VOWEL = re.compile(f"[{_VOWELS}]")
_BARE = re.compile(rf"[a-z](?:[^\W\d_{_VOWELS}]|')*")
_WITH_VOWELS = frozenset(_VOWELS + "y")
_LEAST_BARE = 3
_BARE_ENOUGH = 3.0
_IN_CAPITALS_ENOUGH = 10.0  # lists of abbreviations are in capitals
_GRAMMAR_SHARE = 0.1  # lists of commands and units have no grammar


def find(text: str, words: Words) -> Iterator[Respelled]:
    """Stretches of words without all vowels, or all but the first letter; weight in words."""
    if not wordwise.THREE_UNKNOWN_WORDS.search(words.kinds) or not any(_shortened(words)):
        return
    located = english.locate(text)
    for first, last, weight in _shortened(located):
        bare = filter(_is_bare, located.tokens[first : last + 1])
        # In a text without any vowel no bare word opens with one.
        kept = int(any(token[0] in _VOWELS for token in bare))
        read = partial(_with_vowels, kept=kept)
        found = wordwise.respelled(text, located, first, last, round(weight), read)
        loud = sum(map(str.isupper, text[found.start : found.end])) * 2 > found.end - found.start
        grammatical = _share_of_grammar(found.view) >= _GRAMMAR_SHARE
        if grammatical and weight >= (_IN_CAPITALS_ENOUGH if loud else _BARE_ENOUGH):
            yield found


def _shortened(words: Words) -> Iterator[tuple[int, int, float]]:
    """Stretches of words without vowels, first and last word, and what they weigh."""
    if sum(map(_is_bare, wordwise.unknown_words(words, 2))) >= _LEAST_BARE:
        yield from runs(wordwise.weighed(words, _weight_of_bare), _BARE_ENOUGH, wordwise.DROP)


def _is_bare(token: str) -> bool:
    return bool(_BARE.fullmatch(token)) and not _is_whole(token)


def _is_whole(token: str) -> bool:
    """Whether a token is a word as it stands; `th`, `txt` and `mr` are abbreviations."""
    if not english.is_word(token):
        return False
    return english.is_grammar(token) or not _WITH_VOWELS.isdisjoint(token)


def _weight_of_bare(token: str, kind: str) -> float:
    if _is_bare(token):
        known = _with_vowels(token, 0) or _with_vowels(token, 1)
        return (0.1, 0.3, 0.6, 1.0)[min(len(token), 4) - 1] if known else -0.25
    if kind in "ux":
        return -1.0
    if kind in ".#M" or _BARE.fullmatch(token):
        return 0.0
    return -0.2 if len(token) < 4 else -1.0


def _with_vowels(token: str, kept: int) -> str | None:
    """The likeliest word for what is left of it; its first letter is there if `kept` is 1."""
    return _by_consonants(kept).get(token) if _is_bare(token) else None


def _share_of_grammar(view: str) -> float:
    words = [token for token, kind in wordwise.with_kinds(english.read(view)) if kind not in ".#M"]
    return sum(map(english.is_grammar, words)) / max(1, len(words))


@cache
def _by_consonants(kept: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in wordwise.ranked():
        found.setdefault(word[:kept] + _VOWEL.sub("", word[kept:]), word)
    return found
