"""Texts taken apart by a program that the reader is to run: payload splitting, CodeChameleon.

The pieces are put together without running anything: strings are joined in the order in which
their names are, trees are read in order, numbered words sorted, lists joined or tried in the known
orders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, pairwise
from operator import itemgetter
from typing import NamedTuple

from tinyguardrail_sdk.detectors import english

_UNFOLDS = 4  # joined strings may be so many times as long as the text that joins them

# A quoted string of up to so many characters; what a backslash stands before does not end it.
_QUOTED = r"(?:'(?:[^'\\\n]|\\.){{{0}}}'|\"(?:[^\"\\\n]|\\.){{{0}}}\")"
_STRING = _QUOTED.format("1,200")
_ASSIGNED = re.compile(
    rf"(?<![\w.])([A-Za-z_]\w{{0,30}})\s{{0,3}}:?=\s{{0,3}}({_QUOTED.format('1,2000')})"
)
_JOINED = re.compile(
    r"(?<![\w.'\"])[A-Za-z_]\w{0,30}(?:\s{0,2}(?:\+|,|\}\s?\{|&|\|\|)\s{0,2}[A-Za-z_]\w{0,30}){1,40}(?![\w'\"(])"
)
_LITERALS = re.compile(rf"(?:{_STRING}\s{{0,3}}\+\s{{0,3}}){{2,}}{_STRING}")
_LITERAL = re.compile(_QUOTED.format("0,200"))
_NAME = re.compile(r"[A-Za-z_]\w*")

_PLACE = rf"{_STRING}\s?:\s?\d{{1,4}}"
_NUMBERED = re.compile(rf"\{{\s?{_PLACE}\s?\}}(?:\s?,\s?\{{\s?{_PLACE}\s?\}}){{3,}}")
_ENTRY = re.compile(rf"({_STRING})\s?:\s?(\d{{1,4}})")
_LINE = r"[ \t]{0,4}\d{1,4}[ \t]?[:.)-][ \t]?\S{1,40}"
_NUMBERED_LINES = re.compile(
    rf"^{_LINE}(?:[ \t]{{0,4}}\n{_LINE}){{4,}}(?=[ \t]{{0,4}}$)", re.MULTILINE
)
_NUMBERED_LINE = re.compile(r"(\d{1,4})[ \t]?[:.)-][ \t]?(\S{1,40})")
_SHUFFLED = 0.25  # of the steps go back to a lower number; fewer do in a list that is merely broken
_TREE_TOKEN = re.compile(rf"[{{}}]|(['\"])(value|val|data|left|right)\1\s?:|({_LITERAL.pattern})")
_TREE = re.compile(r"\{\s{0,4}(['\"])(?:value|val|data)\1\s?:\s?['\"]")
_LIST = re.compile(
    rf"\[\s{{0,4}}(?:{_STRING}\s{{0,4}},\s{{0,4}}){{4,}}{_STRING}\s{{0,4}},?\s{{0,4}}\]"
)
_ESCAPED = {r"\n": "\n", r"\t": "\t", r"\"": '"', r"\'": "'", r"\\": "\\"}
_ESCAPE = re.compile("|".join(map(re.escape, _ESCAPED)))
_BETTER_ORDER = 6
_SLOTS = {"value": 1, "val": 1, "data": 1, "left": 0, "right": 2}

_DECRYPTION = re.compile(
    r"def\s{1,4}\w{0,20}(?:decrypt|decod|decipher|decrypy)\w{0,20}\s{0,2}\(", re.IGNORECASE
)


class Rebuilt(NamedTuple):
    """A program's pieces: their place, what they make together, and how they had been parted.

    There is no view where putting all of it together would take more than time linear in the text.
    """

    start: int
    end: int
    view: str | None
    how: str


class _Node:
    """A tree's node: its words and lower nodes, before it, in it and behind it."""

    __slots__ = ("end", "parts", "slot", "start")

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self.parts: tuple[list[str | _Node], ...] = ([], [], [])
        self.slot = 1

    def hold(self, part: str | _Node) -> None:
        self.parts[self.slot].append(part)


def decryptions(text: str) -> list[tuple[int, int]]:
    """Where the heads of decryption functions stand."""
    return [head.span() for head in _DECRYPTION.finditer(text)]


def rebuilt(text: str) -> Iterator[Rebuilt]:
    """Everything in a text that can be put together again."""
    if "\n" in text:
        yield from _numbered_lines(text)
    if "'" not in text and '"' not in text:
        return
    if "=" in text:
        yield from _variables(text)
    if "+" in text:
        for run in _LITERALS.finditer(text):
            pieces = [_plain(piece.group()) for piece in _LITERAL.finditer(run.group())]
            yield Rebuilt(*run.span(), "".join(pieces), "a sentence cut into strings")
    if "{" in text:
        yield from _trees(text)
        yield from _numbered(text)
    if "[" in text:
        yield from _lists(text, certain=bool(decryptions(text)))


def cuts_words(pieces: list[str]) -> bool:
    """Whether pieces make words only when they are joined without a space."""
    return english.share_known("".join(pieces)) > english.share_known(" ".join(pieces)) + 0.05


def _variables(text: str) -> Iterator[Rebuilt]:
    """Every joining of named strings, the first from where the strings are given."""
    found = list(_ASSIGNED.finditer(text))
    if len(found) < 2:
        return
    values = {piece.group(1): _plain(piece.group(2)) for piece in found}
    seen: set[tuple[str, ...]] = set()
    unfolded = 0
    for joined in _JOINED.finditer(text, found[1].start()):
        names = tuple(_NAME.findall(joined.group()))
        if len(names) < 2 or names in seen or not values.keys() >= set(names):
            continue
        pieces = [values[name] for name in names]
        start = joined.start() if seen else found[0].start()
        unfolded += sum(map(len, pieces))
        if seen and unfolded > _UNFOLDS * len(text):
            yield Rebuilt(start, len(text), None, "strings joined over and over")
            return
        seen.add(names)
        inside = cuts_words(pieces)
        view = "".join(pieces) if inside else " ".join(map(str.strip, pieces))
        how = "a sentence cut inside words" if inside else "a sentence cut into strings"
        yield Rebuilt(start, joined.end(), view, how)


def _trees(text: str) -> Iterator[Rebuilt]:
    for tree in _grown(text):
        words = _in_order(tree)
        if len(words) >= 4:
            yield Rebuilt(tree.start, tree.end, " ".join(words), "words hung in a tree")


def _grown(text: str) -> Iterator[_Node]:
    """The trees of a text, and those that hang whole in one which is never closed."""
    open_nodes: list[_Node] = []
    done = 0
    while found := _TREE.search(text, done):
        done = len(text)
        for token in _TREE_TOKEN.finditer(text, found.start()):
            if token.group() == "{":
                open_nodes.append(_Node(token.start()))
            elif token.group() == "}":
                node = open_nodes.pop()
                node.end = token.end()
                if not open_nodes:
                    yield node
                    done = node.end
                    break
                open_nodes[-1].hold(node)
            elif token.group(2):
                open_nodes[-1].slot = _SLOTS[token.group(2)]
            else:
                open_nodes[-1].hold(_plain(token.group(3)))
    for part in chain.from_iterable(chain.from_iterable(node.parts for node in open_nodes)):
        if isinstance(part, _Node) and _TREE.match(text, part.start):
            yield part


def _in_order(tree: _Node) -> list[str]:
    """The words of a tree from left to right."""
    words: list[str] = []
    rest: list[str | _Node] = [tree]
    while rest:
        part = rest.pop()
        if isinstance(part, _Node):
            rest.extend(reversed([*chain.from_iterable(part.parts)]))
        else:
            words.append(part)
    return words


def _numbered(text: str) -> Iterator[Rebuilt]:
    for run in _NUMBERED.finditer(text):
        entries = [
            (int(one.group(2)), _plain(one.group(1))) for one in _ENTRY.finditer(run.group())
        ]
        yield Rebuilt(*run.span(), _by_number(entries), "words numbered and shuffled")


def _numbered_lines(text: str) -> Iterator[Rebuilt]:
    for run in _NUMBERED_LINES.finditer(text):
        entries = [
            (int(one.group(1)), one.group(2)) for one in _NUMBERED_LINE.finditer(run.group())
        ]
        steps = list(pairwise(number for number, _ in entries))
        back = sum(later < earlier for earlier, later in steps)
        # All of them go back in a countdown.
        if _SHUFFLED * len(steps) <= back < len(steps):
            yield Rebuilt(*run.span(), _by_number(entries), "words numbered and shuffled")


def _by_number(entries: list[tuple[int, str]]) -> str:
    return " ".join(word for _, word in sorted(entries, key=itemgetter(0)))


def _lists(text: str, *, certain: bool) -> Iterator[Rebuilt]:
    for run in _LIST.finditer(text):
        words = [_plain(one.group()) for one in _LITERAL.finditer(run.group())]
        if cuts_words(words):
            yield Rebuilt(*run.span(), "".join(words), "a sentence cut inside words")
            continue
        view = _best_order(words, 0 if certain else _BETTER_ORDER)
        if view:
            yield Rebuilt(*run.span(), view, "words shuffled in a list")


def _plain(item: str) -> str:
    """What a quoted string says."""
    return _ESCAPE.sub(lambda escape: _ESCAPED[escape.group()], item[1:-1])


def _best_order(words: list[str], better: int) -> str | None:
    """The words in the known order that suits English best, if that beats the one they are in."""
    half = (len(words) + 1) // 2
    woven = [""] * len(words)
    woven[::2], woven[1::2] = words[:half], words[half:]
    orders = [words[::-1], woven]
    if len(words) % 2 == 0:
        swapped = [""] * len(words)
        swapped[1::2], swapped[::2] = words[:half], words[half:]
        orders.append(swapped)
    as_given = _order(words)
    best = max(orders, key=_order)
    return " ".join(best) if _order(best) >= as_given + better else None


def _order(words: list[str]) -> int:
    return english.order(f".{english.read(' '.join(words)).kinds}.")
