"""What counts as an English word, and which way round English words stand.

`read` turns a text into one letter a word. The rest of the detectors run regular expressions over
that string, so ordinary prose costs one pass over its words and nothing else:

    a article    d determiner   p preposition  t "to"         c conjunction  w question or that
    b form of be m auxiliary    s i he she we  y you it       o me him them  f not never
    r adverb     h number word  i pronoun      n noun         z plural, 3rd  v verb
    q noun, verb g -ing         e past form    j adjective    l other word
    u unknown    x unknown, but a word when reversed          k the same, of two letters
    1 a lone letter  # digits   M letters mixed with digits   O not ASCII    . break of a sentence
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from operator import add

_CLOSED = (
    ("a", "a an"),
    ("d", "the my your our their his her its this these those every each some any no another"),
    (
        "p",
        "of in on at by for from with without into onto about against through between during "
        "under over per via within upon toward towards across behind beyond among along despite "
        "inside outside above below near since until except throughout regarding like as than",
    ),
    ("t", "to"),
    ("c", "and or but nor"),
    (
        "w",
        "how what why where when which who whom whose that because if while whether although "
        "though whenever wherever whatever unless",
    ),
    (
        "b",
        "is are was were be been being am isn't aren't wasn't weren't it's i'm that's there's "
        "what's here's he's she's you're we're they're let's",
    ),
    (
        "m",
        "can could will would should may might must shall do does did has have had cannot can't "
        "don't doesn't didn't won't wouldn't couldn't shouldn't haven't hasn't i'll i've i'd "
        "you'll you've we'll we've ain't",
    ),
    ("s", "i he she we they"),
    ("y", "you it"),
    ("o", "me him them us"),
    ("f", "not never"),
    (
        "r",
        "very too also just only even still already always often ever again now then here there "
        "today tonight tomorrow yesterday soon once twice maybe perhaps almost quite rather more "
        "most less much far away back well instead else together ago anyway however therefore so "
        "thus yet please up down out off around forward backward later early abroad online",
    ),
    (
        "h",
        "one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty "
        "hundred thousand million billion first second third fourth fifth last next other all "
        "both many few several such own same enough half zero",
    ),
    (
        "i",
        "myself yourself himself herself itself ourselves themselves someone anyone everyone "
        "nobody somebody anybody everybody something anything everything nothing none others",
    ),
)
_BREAKS = '.!?;:\n"“”()[]{}<>|`'
_TOKEN = re.compile(
    r"[^\W_]+(?:['’][^\W_]+)*|(?<![^\W_])'|'(?![^\W_])|[" + re.escape(_BREAKS) + "]"
)
# The same cut for ASCII by table: words stay in lower case, breaks become NUL, the rest a space.
_ASCII = "".join(
    "\0" if mark in _BREAKS else mark.lower() if mark.isalnum() or mark == "'" else " "
    for mark in map(chr, range(128))
)
_LONGEST = 24
_OPENING = 2_000
_MISPLACED = -3
_SEPARATE_ES = ("s", "x", "z", "ch", "sh")

# Which of two neighbouring classes comes first in English: log(n(ab) / n(ba)) in half nats, clamped
# to +-4 and shifted by 4, so "4" says nothing; rows are the first class, columns in row order.
# Counted over some 10,000 permissively licensed training texts and rounded; only sums matter.
_ORDER = {
    ".": "4686578788705553326353444",
    "a": "2420000005201363800614857",
    "d": "0640000005213374860643847",
    "p": "2884837107543254320140525",
    "t": "3880420644123243207400224",
    "c": "1885648888608663236356444",
    "w": "0881804888807684241244534",
    "b": "1887200400027473105088875",
    "m": "0888400843538465108438454",
    "s": "0331400854325333068848235",
    "y": "1663720835435654156634545",
    "o": "8874688656544765521121555",
    "f": "3755501103344654348678755",
    "r": "3556622445212432334344644",
    "h": "3213420125323545772522636",
    "i": "5544554535434634431244743",
    "n": "5005666778735514483544054",
    "z": "6826854882364515043235152",
    "v": "2888127300270467554466725",
    "q": "5227456840272536364434143",
    "g": "3744834054561464452543514",
    "e": "5458824000470464432454634",
    "j": "4003643046331221871732425",
    "l": "4346645135433454336475644",
    "u": "4113444343333425463544344",
}


@dataclass(frozen=True, slots=True)
class Words:
    """A text as words.

    Attributes:
        tokens: Its words and sentence breaks, lower-cased.
        kinds: One letter for each token; the module's docstring lists them.
        spans: The place of each token in the text; empty unless asked for.
    """

    tokens: list[str]
    kinds: str
    spans: list[tuple[int, int]]


class _Kinds(dict[str, str]):
    """Known words and their letters; judges unknown ones on demand and does not keep them."""

    def __missing__(self, token: str) -> str:
        if not token.isascii():
            plain = token.replace("’", "'")
            return self[plain] if plain.isascii() else "O"
        if not token.isalpha():
            if "'" in token:
                return self.get(token.partition("'")[0], "u")
            return "#" if token.isdigit() else "M"
        if len(token) == 1:
            return "1"
        if len(token) > _LONGEST:
            return "u"
        backward = token[::-1]
        if backward == token or backward not in self:
            return "u"
        if len(token) > 2:
            return "x"
        return "k" if self[backward] in _GRAMMAR else "u"


_NO_WORD = frozenset("uxk1#MO")
_GRAMMAR = frozenset("adptcwbmsyofr")


def lower(text: str) -> str:
    """Lower case of the same length: one capital alone would become two characters."""
    return text.replace("\u0130", "I").lower()


def read(text: str) -> Words:
    """Give each word of a text its letter, in linear time and without the places of the words."""
    if not text.isascii():
        tokens = _TOKEN.findall(lower(text))
    else:
        plain = text.translate(_ASCII).replace("\0", " . ")
        tokens = plain.replace(" '", " . ").replace("' ", " . ").split()
    return Words(tokens, "".join(map(kinds_of_words().__getitem__, tokens)), [])


def locate(text: str) -> Words:
    """The same with the place of every word: four times the price, for a text that looks odd."""
    found = list(_TOKEN.finditer(lower(text)))
    tokens = [one.group() for one in found]
    kinds = "".join(map(kinds_of_words().__getitem__, tokens))
    return Words(tokens, kinds, [one.span() for one in found])


def order(kinds: str) -> int:
    """How well the order of words suits English, in half nats; below zero it suits it reversed."""
    return sum(map(_pairs().__getitem__, map(add, kinds, kinds[1:])))


def twice_out_of_order(kinds: str) -> bool:
    """Whether two neighbours in one sentence stand the wrong way round: a cheap first look."""
    return bool(_two_misplaced().search(kinds))


def is_request(text: str) -> bool:
    """Whether a text is an English question or tells someone to do something."""
    words = read(text[:_OPENING])
    opening = words.kinds[:4].lstrip(".")
    asks = "?" in text or "how to" in text.lower()
    return (asks or opening[:1] in ("v", "q", "w", "m")) and share_known(text[:_OPENING]) >= 0.6


def is_word(token: str) -> bool:
    """Whether a lower-case token is a known English word."""
    return dict.__contains__(kinds_of_words(), token)


def is_grammar(token: str) -> bool:
    """Whether a lower-case token is a function word."""
    return kinds_of_words().get(token) in _GRAMMAR


def share_known(text: str) -> float:
    """Share of a text's words, weighted by length, that are English; 0 where it has none."""
    words = read(text)
    sizes = [
        (kind not in _NO_WORD, len(token))
        for token, kind in zip(words.tokens, words.kinds, strict=True)
        if kind != "."
    ]
    return sum(size for known, size in sizes if known) / max(1, sum(size for _, size in sizes))


@cache
def kinds_of_words() -> dict[str, str]:
    """The letter of every known word; asking for another one judges it by its shape."""
    kinds = _Kinds()
    for kind, word in _all_forms(_sections()):
        kinds.setdefault(word, kind)
    return kinds


@cache
def _pairs() -> dict[str, int]:
    classes = "".join(_ORDER)
    return defaultdict(
        int,
        {
            first + second: int(weight) - 4
            for first, row in _ORDER.items()
            for second, weight in zip(classes, row, strict=True)
        },
    )


@cache
def _two_misplaced() -> re.Pattern[str]:
    after: dict[str, str] = defaultdict(str)
    for pair, weight in _pairs().items():
        if weight <= _MISPLACED:
            after[pair[0]] += pair[1]
    pair = "|".join(f"{re.escape(first)}(?=[{seconds}])" for first, seconds in after.items())
    return re.compile(rf"(?:{pair})[^.]*?(?:{pair})")


def _sections() -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    for line in files(__package__).joinpath("words.txt").read_text("ascii").splitlines():
        if line.startswith("["):
            words = sections[line.strip("[]")] = []
        else:
            words.extend(line.split())
    return sections


def _all_forms(sections: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Base forms first, so that a derived form never changes the class of a listed word."""
    doubling, irregular = set(sections["doubling verbs"]), set(sections["irregular verbs"])
    verbs = doubling | irregular | set(sections["verbs"])
    nouns, adjectives = set(sections["nouns"]), sections["adjectives"]
    yield from ((".", mark) for mark in _BREAKS + "'")
    for kind, words in _CLOSED:
        yield from ((kind, word) for word in words.split())
    for kind, bases in (("q", verbs & nouns), ("j", adjectives), ("v", verbs), ("n", nouns)):
        yield from ((kind, word) for word in bases)
    yield from (("l", word) for word in sections["others"])
    for word in sections["irregular forms"]:
        yield "g" if word.endswith("ing") else "z" if word.endswith("s") else "e", word
    for word in verbs:
        stem = word + word[-1] if word in doubling else word
        yield "z", _with_s(word)
        yield "g", _with_ing(stem)
        if word not in irregular:
            yield "e", _with_ed(stem)
    yield from (("z", _with_s(word)) for word in nouns)
    yield from _degrees(adjectives)


def _degrees(adjectives: Iterable[str]) -> Iterator[tuple[str, str]]:
    for word in adjectives:
        stem = word[:-1] + "i" if word.endswith("y") else word
        adverb = word[:-1] + "y" if word.endswith("le") else stem + "ly"
        yield "r", word + "ally" if word.endswith("ic") else adverb
        if len(word) <= 6:
            short = len(word) <= 4 and word[-1] in "bdgmnpt" and word[-2] in "aeiou"
            root = stem + word[-1] if short else stem.removesuffix("e")
            yield from (("j", root + "er"), ("j", root + "est"))


def _with_s(word: str) -> str:
    if word.endswith(_SEPARATE_ES):
        return word + "es"
    return word[:-1] + "ies" if _consonant_y(word) else word + "s"


def _with_ed(stem: str) -> str:
    if stem.endswith("e"):
        return stem + "d"
    return stem[:-1] + "ied" if _consonant_y(stem) else stem + "ed"


def _with_ing(stem: str) -> str:
    keeps = not stem.endswith("e") or stem.endswith(("ee", "oe", "ye"))
    return (stem if keeps else stem[:-1]) + "ing"


def _consonant_y(word: str) -> bool:
    return word.endswith("y") and word[-2:-1] not in "aeiou"
