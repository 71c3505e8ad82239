"""Texts taken apart by a program that the reader is to run: payload splitting, CodeChameleon.

The pieces are put together without running anything: strings are joined in the order in which their
names are, trees are read in order, numbered words sorted, lists of words tried in the known orders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tinyguardrail_sdk.detectors import english
from tinyguardrail_sdk.detectors.match import MAX_VIEW

_MAX_PIECES = 500
_MAX_DEPTH = 200

_ASSIGNED = re.compile(r"(?<![\w.])([A-Za-z_]\w{0,30})\s{0,3}:?=\s{0,3}(['\"])([^'\"\n]{1,2000})\2")
_JOINED = re.compile(
    r"(?<![\w.'\"])[A-Za-z_]\w{0,30}(?:\s{0,2}(?:\+|,|\}\s?\{|&|\|\|)\s{0,2}[A-Za-z_]\w{0,30}){1,40}(?![\w'\"(])"
)
_LITERALS = re.compile(
    r"(?:(['\"])([^'\"\n]{1,200})\1\s{0,3}\+\s{0,3}){2,}(['\"])([^'\"\n]{1,200})\3"
)
_LITERAL = re.compile(r"(['\"])([^'\"\n]{0,200})\1")
_NAME = re.compile(r"[A-Za-z_]\w*")

_NUMBERED = re.compile(
    r"\{\s?(['\"])([^'\"\n]{1,40})\1\s?:\s?(\d{1,4})\s?\}(?:\s?,\s?\{\s?(['\"])[^'\"\n]{1,40}\4\s?:\s?\d{1,4}\s?\}){3,}"
)
_ENTRY = re.compile(r"(['\"])([^'\"\n]{1,40})\1\s?:\s?(\d{1,4})")
_TREE_TOKEN = re.compile(r"[{}]|(['\"])(value|val|data|left|right)\1\s?:|(['\"])([^'\"\n]{0,40})\3")
_TREE = re.compile(r"\{\s{0,4}(['\"])(?:value|val|data)\1\s?:\s?['\"]")
_LIST = re.compile(
    r"\[\s{0,4}(?:(['\"])[^'\"\n]{1,40}\1\s{0,4},\s{0,4}){4,}(['\"])[^'\"\n]{1,40}\2\s{0,4},?\s{0,4}\]"
)
_BETTER_ORDER = 6

_DECRYPTION = re.compile(
    r"def\s{1,4}\w{0,20}(?:decrypt|decod|decipher|decrypy)\w{0,20}\s{0,2}\(", re.IGNORECASE
)


class Rebuilt(NamedTuple):
    """A program's pieces: their place, what they make together, and how they had been parted."""

    start: int
    end: int
    view: str
    how: str


def has_decryption(text: str) -> re.Match[str] | None:
    """The head of a decryption function, where there is one."""
    return _DECRYPTION.search(text)


def rebuilt(text: str) -> Iterator[Rebuilt]:
    """Everything in a text that can be put together again."""
    if "'" not in text and '"' not in text:
        return
    if "=" in text:
        yield from _variables(text)
    if "+" in text:
        for run in _LITERALS.finditer(text):
            pieces = [piece.group(2) for piece in _LITERAL.finditer(run.group())]
            yield Rebuilt(*run.span(), "".join(pieces)[:MAX_VIEW], "a sentence cut into strings")
    if "{" in text:
        yield from _trees(text)
        yield from _numbered(text)
    if "[" in text:
        yield from _lists(text, certain=bool(has_decryption(text)))


def cuts_words(pieces: list[str]) -> bool:
    """Whether pieces make words only when they are joined without a space."""
    return english.share_known("".join(pieces)) > english.share_known(" ".join(pieces)) + 0.05


def _variables(text: str) -> Iterator[Rebuilt]:
    found = list(_ASSIGNED.finditer(text))[:_MAX_PIECES]
    if len(found) < 2:
        return
    values = {piece.group(1): piece.group(3) for piece in found}
    for joined in _JOINED.finditer(text, found[1].start()):
        names = _NAME.findall(joined.group())
        if len(names) < 2 or not values.keys() >= set(names):
            continue
        pieces = [values[name] for name in names]
        together = "".join(pieces)
        view = together if cuts_words(pieces) else " ".join(map(str.strip, pieces))
        how = "a sentence cut inside words" if cuts_words(pieces) else "a sentence cut into strings"
        yield Rebuilt(found[0].start(), joined.end(), view[:MAX_VIEW], how)
        return


def _trees(text: str) -> Iterator[Rebuilt]:
    found = _TREE.search(text)
    if not found:
        return
    start, end, words = _in_order(text, found.start())
    if len(words) >= 4:
        yield Rebuilt(start, end, " ".join(words)[:MAX_VIEW], "words hung in a tree")


def _in_order(text: str, start: int) -> tuple[int, int, list[str]]:
    """Read a tree of words from left to right, up to `_MAX_PIECES` nodes."""
    slots = {"value": 1, "val": 1, "data": 1, "left": 0, "right": 2}
    stack: list[list[list[str]]] = []
    slot = [1]
    for count, token in enumerate(_TREE_TOKEN.finditer(text, start)):
        if token.group() == "{":
            stack.append([[], [], []])
            slot.append(1)
        elif token.group() == "}":
            words = [word for part in stack.pop() for word in part]
            slot.pop()
            if not stack:
                return start, token.end(), words
            stack[-1][slot[-1]] += words
        elif token.group(2):
            slot[-1] = slots[token.group(2)]
        elif stack:
            stack[-1][slot[-1]].append(token.group(4))
        if count > 6 * _MAX_PIECES or len(stack) > _MAX_DEPTH:
            break
    return start, start, []


def _numbered(text: str) -> Iterator[Rebuilt]:
    for run in _NUMBERED.finditer(text):
        entries = [(int(one.group(3)), one.group(2)) for one in _ENTRY.finditer(run.group())]
        view = " ".join(word for _, word in sorted(entries))
        yield Rebuilt(*run.span(), view[:MAX_VIEW], "words numbered and shuffled")


def _lists(text: str, *, certain: bool) -> Iterator[Rebuilt]:
    for run in _LIST.finditer(text):
        words = [one.group(2) for one in _LITERAL.finditer(run.group())]
        view = _best_order(words, 0 if certain else _BETTER_ORDER)
        if view:
            yield Rebuilt(*run.span(), view[:MAX_VIEW], "words shuffled in a list")


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
