"""Words whose letters stand in another order: typoglycemia and other anagrams.

A typing error here and there is none of these: a stretch is believed only where nearly all the
words that are strange become known ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import chain

from tinyguardrail_sdk.detectors import english, wordwise
from tinyguardrail_sdk.detectors.english import Words
from tinyguardrail_sdk.detectors.respelling import Respelled
from tinyguardrail_sdk.detectors.runs import runs
from tinyguardrail_sdk.detectors.wordwise import Rule

_LEAST_ANAGRAM = 4
_LEAST_ANAGRAMS = 3
_ANAGRAMS_ENOUGH = 2.0  # three words of some length, or four of four letters
_ONE_RULE = 0.7  # share of the words that a rule must turn into known ones


def find(text: str, words: Words) -> Iterator[Respelled]:
    """Stretches of words with their letters in another order; weight in words."""
    if not wordwise.THREE_UNKNOWN_WORDS.search(words.kinds) or not any(_shuffled(words)):
        return
    located = english.locate(text)
    rules: set[Rule] = set()
    for first, last, solved in _shuffled(located):
        rule = next((rule for rule in _RULES if _share(solved, rule) >= _ONE_RULE), None)
        if rule:
            rules.add(rule)
        else:
            yield wordwise.respelled(text, located, first, last, len(solved), _unscrambled)
    # One rule for all is better than word by word: it reads unknown words and short ones.
    for rule in _RULES:
        if rule in rules:
            yield from wordwise.reread(text, located, wordwise.by_rule(rule))


def _shuffled(words: Words) -> Iterator[tuple[int, int, set[str]]]:
    """Stretches of anagrams, first and last word, and which words they are."""
    strange = wordwise.unknown_words(words, _LEAST_ANAGRAM)
    if sum(map(bool, map(_unscrambled, strange))) < _LEAST_ANAGRAMS:
        return
    weights = wordwise.weighed(words, _weight_of_anagram)
    for first, last, _ in runs(weights, _ANAGRAMS_ENOUGH, wordwise.DROP):
        stretch = wordwise.with_kinds(words, first, last)
        solved = {one for one, kind in stretch if _is_anagram(one, kind)}
        # What is spelled backwards is for the detector of that.
        if len(solved) >= _LEAST_ANAGRAMS and _share(solved, _mirrored) < _ONE_RULE:
            yield first, last, solved


def _is_anagram(token: str, kind: str) -> bool:
    return kind in "ux" and len(token) >= _LEAST_ANAGRAM and bool(_unscrambled(token))


def _weight_of_anagram(token: str, kind: str) -> float:
    if kind in "ux":
        if len(token) < _LEAST_ANAGRAM:
            return -0.2
        # Any four letters may happen to be a word's.
        return (0.5, 0.8, 1.0)[min(len(token), 6) - 4] if _is_anagram(token, kind) else -0.8
    if kind in ".#1k":
        return 0.0
    return 0.0 if len(token) < _LEAST_ANAGRAM else -0.25 if len(token) < 6 else -0.5


def _unscrambled(token: str) -> str | None:
    """The known word with the letters of a strange one that suits it best."""
    if len(token) > wordwise.LONGEST:
        return None
    known = _by_letters().get("".join(sorted(token)))
    if not known or token in known:
        return None
    ends = (word for word in known if word[0] == token[0] and word[-1] == token[-1])
    ruled = (word for rule in _RULES if (word := rule(token)) in known)
    return next(chain(ends, ruled, known))


@cache
def _by_letters() -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for word in wordwise.ranked():
        if len(word) > 1:
            groups["".join(sorted(word))].append(word)
    return dict(groups)


def _share(tokens: set[str], rule: Rule) -> float:
    return sum(english.is_word(rule(token)) for token in tokens) / len(tokens)


def _mirrored(word: str) -> str:
    return word[::-1]


def _ends_exchanged(word: str) -> str:
    return word[-1] + word[1:-1] + word[0] if len(word) > 2 else word


def _pairs_exchanged(word: str) -> str:
    return "".join(word[at : at + 2][::-1] for at in range(0, len(word), 2))


def _first_to_end(word: str) -> str:
    return word[1:] + word[0]


def _last_to_front(word: str) -> str:
    return word[-1] + word[:-1]


def _inside_mirrored(word: str) -> str:
    return word[0] + word[-2:0:-1] + word[-1] if len(word) > 2 else word


def _halves_exchanged(word: str) -> str:
    return word[len(word) // 2 :] + word[: len(word) // 2]


_RULES = (
    _ends_exchanged, _pairs_exchanged, _first_to_end, _last_to_front, _inside_mirrored,
    _halves_exchanged,
)  # fmt: skip
