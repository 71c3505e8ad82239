"""Words respelled letter by letter: leetspeak, spaced-out letters, pig Latin.

Each reader gives back what the words were, and reports only what turns into English that way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from tinyguardrail_sdk.detectors import english
from tinyguardrail_sdk.detectors.english import Words

LEET = str.maketrans("0345789@$+(", "oeastbgastc")
EITHER = re.compile("[1!|]")  # an i or an l
_LEET_SIGNS = frozenset("0134578@$!|+(9")
_LEET_HINT = re.compile(r"[@$!|](?=[A-Za-z0-9])(?:(?<=[A-Za-z0-9].)|(?<!\S.)(?<=[@$!]))")
_NUMBERED = re.compile(r"[A-Za-z]+\d{1,4}|\d{1,4}(?:st|nd|rd|th|s|k|m|g|x|d|h|am|pm|px|em)")
_CHUNK = re.compile(r"\S+")
_EDGE = ".,;:?\"'`*_()[]{}<>"
_MAX_GUESSES = 4
_STOPS = ".:;?\n\"'"
_REACH = 8
_GAP = 3  # plain words that may stand between two respelled ones

_GAPS = r"[ .\-_*|/,~+'’?!;:\\\r\n\"()\[\]{}<>@#$%&=^`]{1,9}"
# A longer run is read in pieces, for every piece has a usual gap of its own.
_SPACED = re.compile(rf"(?<![^\W_])[^\W_](?:{_GAPS}[^\W_](?![^\W_])){{4,1999}}")
_LONE_LETTERS = re.compile(r"(?:[1asO#]\.{0,6}){5}")
_TOGETHER = 12  # letters in a row that may be several words whose spaces were lost
_LONGEST = 20
_KNOWN_SHARE = 0.7
# Letters set apart in any language: so many words of such a size, of letters that can be spoken.
_FEWEST_WORDS, _LEAST_SIZE, _MOST_SIZE, _LEAST_VOWELS = 4, 3.0, 10.0, 0.28
_VOWEL = frozenset("aeiouy")
# The price of a piece that is no word, and of each letter of it, where a word costs 1.
_STRANGE_PRICE = 2.0
_LETTER_PRICE = 0.6
_NEVER = float("inf")

_CONSONANTS = frozenset("bcdfghjklmnpqrstvwxyz")


class Respelled(NamedTuple):
    """A respelled stretch: its place, how many words or letters speak for it, and its meaning."""

    start: int
    end: int
    weight: int
    view: str


def leet(text: str, words: Words) -> Iterator[Respelled]:
    """Stretches where digits and signs stand for letters; weight in words."""
    if words.kinds.count("M") < 2 and not _LEET_HINT.search(text):
        return
    chunks = [(chunk.span(), chunk.group()) for chunk in _CHUNK.finditer(text)]
    plain = [_unleet(chunk) for _, chunk in chunks]
    places = [at for at, word in enumerate(plain) if word]
    for group in _groups(places):
        inside = range(group[0], group[-1] + 1)
        strangers = sum(_is_mixed(chunks[at][1]) and not plain[at] for at in inside)
        signs = sum(one in _LEET_SIGNS for at in group for one in chunks[at][1])
        if len(group) < 2 or strangers > len(group) or (len(group) < 3 and signs < 4):
            continue
        first, last = _sentence(text, chunks, group[0], group[-1])
        view = " ".join(plain[at] or _spelt_out(chunks[at][1]) for at in range(first, last + 1))
        yield Respelled(chunks[first][0][0], chunks[last][0][1], len(group), view)


def _sentence(
    text: str, chunks: list[tuple[tuple[int, int], str]], first: int, last: int
) -> tuple[int, int]:
    """The stretch with the words beside it, as far as the line and the sentence go."""
    reach = _REACH
    while first > 0 and reach and chunks[first - 1][1][-1] not in _STOPS:
        if "\n" in text[chunks[first - 1][0][1] : chunks[first][0][0]]:
            break
        first, reach = first - 1, reach - 1
    reach = _REACH
    while last + 1 < len(chunks) and reach and chunks[last][1][-1] not in _STOPS:
        if "\n" in text[chunks[last][0][1] : chunks[last + 1][0][0]]:
            break
        last, reach = last + 1, reach - 1
    return first, last


def _spelt_out(chunk: str) -> str:
    """A chunk that is no known word as a whole: part by part, or sign by sign."""
    if chunk.isalpha() or (chunk.isdigit() and len(chunk) > 1):
        return chunk
    if "-" in chunk:
        return " ".join(_unleet(part) or _spelt_out(part) for part in chunk.split("-") if part)
    return _spelt(chunk)


def _spelt(chunk: str) -> str:
    """A chunk with letters for its signs: a known word where they can make one."""
    body = chunk.lower().translate(LEET)
    core = body.strip(_EDGE)
    known = next(filter(english.is_word, guesses(core)), None)
    return body.replace(core, known, 1) if known else EITHER.sub("i", chunk.translate(LEET))


def _groups(places: list[int]) -> Iterator[list[int]]:
    group: list[int] = []
    for place in places:
        if group and place - group[-1] > _GAP + 1:
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def _is_mixed(chunk: str) -> bool:
    return not chunk.isalpha() and not chunk.isdigit() and any(map(str.isalnum, chunk))


def _unleet(chunk: str) -> str | None:
    """The English word that a chunk spells with signs for letters."""
    if len(chunk) > _LONGEST or chunk.isalpha() or _LEET_SIGNS.isdisjoint(chunk):
        return None
    for body in dict.fromkeys((chunk.strip(_EDGE), chunk.strip(_EDGE + "!|"))):
        if len(body) < 3 or not re.search("[A-Za-z]", body) or _NUMBERED.fullmatch(body):
            continue
        if _LEET_SIGNS.isdisjoint(body):
            continue
        for guess in guesses(body.lower().translate(LEET)):
            if english.is_word(guess):
                return guess
    return None


def guesses(spelt: str) -> Iterator[str]:
    """A word with each of its first signs that may be an i or an l as the one and the other."""
    doubtful = min(len(EITHER.findall(spelt)), _MAX_GUESSES)
    for letters in product("il", repeat=doubtful):
        guess = spelt
        for letter in letters:
            guess = EITHER.sub(letter, guess, count=1)
        yield guess


def spaced(text: str, words: Words) -> Iterator[Respelled]:
    """Words with something between every two letters; weight in letters."""
    if not _LONE_LETTERS.search(words.kinds):
        return
    for run in _SPACED.finditer(text):
        letters, gaps = re.split(_GAPS, run.group()), re.findall(_GAPS, run.group())
        usual = Counter(gaps).most_common(1)[0][0]
        parts = [letters[0]]
        for gap, letter in zip(gaps, letters[1:], strict=False):
            parts.append(letter if gap == usual else " " + letter)
        view = " ".join(
            segmented(word) if len(word) > _TOGETHER else word for word in "".join(parts).split()
        )
        if _mostly_long_words(view) or _speakable(view):
            yield Respelled(*run.span(), len(letters), view)


def _mostly_long_words(view: str) -> bool:
    words = [word for word in view.split() if english.is_word(word.lower())]
    kept = sum(len(word) for word in words if len(word) > 2)
    return kept >= _KNOWN_SHARE * len(view.replace(" ", "")) and kept >= 4


def _speakable(view: str) -> bool:
    """Whether letters with two kinds of gaps look like the words of some language."""
    words = view.lower().split()
    letters = "".join(words)
    vowels = sum(letter in _VOWEL or not letter.isascii() for letter in letters) / len(letters)
    size = len(letters) / len(words)
    return (
        len(words) >= _FEWEST_WORDS
        and _LEAST_SIZE <= size <= _MOST_SIZE
        and vowels >= _LEAST_VOWELS
    )


def segmented(run: str) -> str:
    """Put the spaces back into words written together, by the fewest words that fill the run."""
    low = english.lower(run)
    if english.is_word(low):
        return run
    vocabulary = english.kinds_of_words()
    # What the cheapest reading up to each place costs that ends with a word, or with letters in no
    # word, and where its last piece began.
    known, strange, cheapest = [0.0], [_STRANGE_PRICE], [0.0]
    words, others = [0], [0]
    for end in range(1, len(low) + 1):
        best, origin = _NEVER, 0
        for at in range(max(0, end - _LONGEST), end):
            if cheapest[at] < best and low[at:end] in vocabulary:
                cost = cheapest[at] + _cost(low[at:end])
                if cost < best:
                    best, origin = cost, at
        opened = known[-1] + _STRANGE_PRICE < strange[-1]
        others.append(end - 1 if opened else others[-1])
        strange.append(min(known[-1] + _STRANGE_PRICE, strange[-1]) + _LETTER_PRICE)
        known.append(best)
        words.append(origin)
        cheapest.append(min(best, strange[-1]))
    pieces: list[str] = []
    end = len(run)
    while end:
        start = words[end] if known[end] <= strange[end] else others[end]
        pieces.append(run[start:end])
        end = start
    return " ".join(reversed(pieces))


def _cost(word: str) -> float:
    # Of two ways to cut, the one with more grammar in it.
    if english.is_grammar(word):
        return 0.9 if len(word) > 1 else 1.2
    return 1.0 if len(word) > 2 else 2.5


def pig_latin(text: str, words: Words) -> Iterator[Respelled]:
    """Stretches of words with their opening moved behind them and "ay" added; weight in words."""
    if text.count("ay") + text.count("AY") < 3:
        return
    strange = [
        at
        for at, (token, kind) in enumerate(zip(words.tokens, words.kinds, strict=True))
        if kind in "ux" and token.endswith("ay")
    ]
    if len(strange) < 3:
        return
    located = english.locate(text)
    unknown = [at for at, kind in enumerate(located.kinds) if kind in "ux"]
    marked = [at for at in unknown if _unpig(located.tokens[at])]
    for group in _groups(marked):
        if len(group) >= 3:
            tokens = located.tokens[group[0] : group[-1] + 1]
            view = " ".join(_unpig(token) or token for token in tokens)
            span = located.spans[group[0]][0], located.spans[group[-1]][1]
            yield Respelled(*span, len(group), view)


def _unpig(token: str) -> str | None:
    if not token.endswith("ay") or len(token) < 4:
        return None
    body, known = token[:-2], list[str]()
    for moved in range(1, min(4, len(body))):
        if body[-moved] not in _CONSONANTS and body[-moved] != "u":
            break
        word = body[-moved:] + body[:-moved]
        if english.is_word(word):
            known.append(word)
    if body[-1] in "wy" and english.is_word(body[:-1]):
        known.append(body[:-1])
    # "Inway" is "in" rather than "win": short words are mostly grammar.
    return next(filter(english.is_grammar, known), known[0] if known else None)
