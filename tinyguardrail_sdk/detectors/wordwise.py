"""Words read one by one, each on its own, in stretches where that makes words of strange ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, partial

from tinyguardrail_sdk.detectors import english
from tinyguardrail_sdk.detectors.english import Words
from tinyguardrail_sdk.detectors.respelling import Respelled
from tinyguardrail_sdk.detectors.runs import runs

Reader = Callable[[str], str | None]
Rule = Callable[[str], str]

# A first look, for what is no such text.
THREE_UNKNOWN_WORDS = re.compile(r"[ux][^ux]{0,6}[ux][^ux]{0,6}[ux]")
DROP = 2.0  # what ends a stretch: two plain words of some length
LONGEST = 60  # letters in a word
_REACH = 8  # words beside a stretch that may belong to it
_UNKNOWN = re.compile("[ux]")
_LETTERS = re.compile("[A-Za-z]+")
_REREAD_ENOUGH = 2.5
_RANKS = ("adptcwbmsyof", "hi", "qvnjlr", "egz")  # kinds of words, the likeliest first
# Words that are likelier than others with the same consonants.
_LIKELIER = frozenset(
    "and into to of in is code me about please using other name user more need time used create "
    "list then sure set file com text give people here email even ignore model true good value "
    "rules read line tell very open long think going main made needs go send users account "
    "lines life real full available location said follow post non group social around down "
    "point points short great top week course hello times august left control log source movie "
    "amount break put build product scene block play sent various notes certain care variable "
    "book love choose simple really either structure again done policies base tools contains "
    "shell page goal united country field secure rate hours tool secret later range reason "
    "models features image period letter purposes follows creates filter float tone decode "
    "trained count purpose fix usage piece become opinions activities situation room big cases "
    "opens username food june products minutes".split()
)


def unknown_words(words: Words, least: int) -> set[str]:
    """The unknown words of at least so many letters."""
    unknown = (words.tokens[one.start()] for one in _UNKNOWN.finditer(words.kinds))
    return {token for token in unknown if least <= len(token) <= LONGEST}


def with_kinds(words: Words, first: int = 0, last: int | None = None) -> Iterator[tuple[str, str]]:
    """Words with their kinds."""
    stop = None if last is None else last + 1
    return zip(words.tokens[first:stop], words.kinds[first:stop], strict=True)


def weighed(words: Words, weigh: Callable[[str, str], float]) -> list[float]:
    """What each word weighs; a word that comes again is weighed once."""
    known = {one: weigh(*one) for one in set(with_kinds(words))}
    return [known[one] for one in with_kinds(words)]


def reread(text: str, words: Words, read: Reader) -> Iterator[Respelled]:
    """Stretches of words that are known only when read in a way that is believed."""
    weights = weighed(words, partial(_weight_of_reread, read=read))
    for first, last, weight in runs(weights, _REREAD_ENOUGH, DROP):
        yield respelled(text, words, first, last, round(weight), read)


def respelled(
    text: str, words: Words, first: int, last: int, weight: int, read: Reader
) -> Respelled:
    """A stretch with the words beside it, each word read."""
    first, last = _widened(text, words, first, last)
    at = start = words.spans[first][0]
    parts: list[str] = []
    for place in range(first, last + 1):
        begin, end = words.spans[place]
        parts += text[at:begin], read(words.tokens[place]) or text[begin:end]
        at = end
    return Respelled(start, at, weight, "".join(parts))


def by_rule(rule: Rule) -> Reader:
    """A reader that applies a rule to the letters of every word but a plain one."""

    def read(token: str) -> str:
        word = _LETTERS.sub(lambda part: rule(part.group()), token)
        return token if _is_plain(token, word) else word

    return read


@cache
def ranked() -> list[str]:
    """Every known word, the likeliest first: grammar, then base forms, then derived ones."""
    ranks = {kind: rank for rank, kinds in enumerate(_RANKS) for kind in kinds}
    words = [one for one in english.kinds_of_words().items() if one[1] != "."]
    words.sort(key=lambda one: (one[0] not in _LIKELIER, ranks[one[1]], len(one[0]), one[0]))
    return [word for word, _ in words]


def _widened(text: str, words: Words, first: int, last: int) -> tuple[int, int]:
    """The stretch with the words beside it in the line."""
    lowest, highest = max(0, first - _REACH), min(len(words.tokens) - 1, last + _REACH)
    while first > lowest and "\n" not in text[words.spans[first - 1][0] : words.spans[first][0]]:
        first -= 1
    while last < highest and "\n" not in text[words.spans[last][1] : words.spans[last + 1][1]]:
        last += 1
    return first, last


def _weight_of_reread(token: str, kind: str, read: Reader) -> float:
    if kind in ".#M1":
        return 0.0
    word = read(token) or token
    if kind in "uxkO":
        if english.is_word(word):
            return 0.3 if len(word) < 4 else 1.0
        return -0.1 if word != token else -0.5
    return -1.0 if word == token and len(token) > 3 else 0.0


def _is_plain(token: str, word: str) -> bool:
    """Whether a token of some length is a known word as it stands and not when it is read."""
    return len(token) > 3 and english.is_word(token) and not english.is_word(word)
