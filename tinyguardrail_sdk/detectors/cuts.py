"""Words cut apart inside, as in `ig<b></b>nore`, `prev**ious**`, `instr-uctions`, `sys tem`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from tinyguardrail_sdk.detectors import english
from tinyguardrail_sdk.detectors.english import Words
from tinyguardrail_sdk.detectors.nearby import Odd, Stretch, stretches
from tinyguardrail_sdk.detectors.respelling import Respelled

_TAG = r"</?[A-Za-z!][^<>\n]{0,80}>"
_ENTITY = r"&(?:shy|zwn?j|#\d{2,5}|#x[0-9A-Fa-f]{2,4});"
_COMMENT = r"/\*[^*\n]{0,40}\*/"
_UNSEEN = re.compile(f"{_ENTITY}|{_COMMENT}")
_MARKS = ("**", "__", "~~", "`")
_INSERTED = rf"{_TAG}|{_ENTITY}|{_COMMENT}"
_TAG_NAME = re.compile(r"</?([A-Za-z!]\w{0,20})[^<>\n]{0,80}>")
_PART = re.compile(rf"{_INSERTED}|([^\W\d_]+)")
# What shows nothing at all cuts a word of any language.
_EMPTY = re.compile(
    rf"(?:<([a-z]{{1,10}})[^<>\n]{{0,60}}></\1>|<!--[^<>\n]{{0,80}}-->|{_UNSEEN.pattern}){{1,4}}"
)
_MARKUP = re.compile(rf"(?:{_INSERTED}|\*\*|__|~~|`|\{{\}}|\[\]|\"\"){{1,4}}")
_SIGN = re.compile(r"[^\w\s]{1,4}|_| {1,2}|\t")
_IN_WORD = re.compile(
    r"[<&/](?<=[^\W\d_].)"
    r"(?:[^<>\n]{1,80}>(?:<[^<>\n]{1,80}>)?|[#\w]{1,8};|\*[^*\n]{0,40}\*/)(?=[^\W\d_])"
)
_LONGEST_GAP = 200
_UNKNOWN = re.compile("[uxk1]")
_MOST_PARTS = 4
_LONGEST = 24
_LEAST_LETTERS = 4
_BY_NOTHING, _BY_MARKUP, _BY_SIGN = 4, 3, 2
_ENOUGH = 6  # two words cut by markup or three by signs or blanks, near one another
_LEAST_LOOK = 2
# What stands before or behind a word with a hyphen, a bracket or a blank in honest texts.
_PREFIXES = frozenset(
    "anti auto bi bio co counter cyber de e eco electro ex extra hyper in infra inter intra macro "
    "mega meta micro mid mini mis mono multi neo non over para photo poly post pre pro proto "
    "pseudo psycho quasi re retro self semi socio sub super tele trans tri ultra un uni".split()
)
_ENDINGS = frozenset("s d n ed es er ing ly".split())


class _Join(NamedTuple):
    """Parts that make one word: the first, one past the last, and the word."""

    first: int
    last: int
    word: str


class _Parts(NamedTuple):
    """A text as runs of letters."""

    spans: list[tuple[int, int]]
    words: list[str]
    gaps: list[str]  # gap `i` stands before part `i + 1`
    strengths: list[int]  # what a cut by each gap says; 0 where the gap is no cut


def find(text: str, words: Words) -> Iterator[Respelled]:
    """Lines with several words cut apart, in one piece again; weight by words and kinds of cuts."""
    if not _may_hold_cuts(text, words):
        return
    parts = _parts(text)
    joins = list(_joins(parts.words, parts.strengths))
    odd = [_odd(join, parts) for join in joins]
    for stretch in stretches(text, odd, _ENOUGH):
        yield Respelled(stretch.start, stretch.end, stretch.weight, _uncut(text, parts, stretch))


def _may_hold_cuts(text: str, words: Words) -> bool:
    if len(list(islice(_IN_WORD.finditer(text), _LEAST_LOOK))) == _LEAST_LOOK:
        return True
    if len(list(islice(_UNKNOWN.finditer(words.kinds), _LEAST_LOOK))) < _LEAST_LOOK:
        return False
    tokens, kinds = words.tokens, words.kinds
    if "." in kinds:
        tokens = [token for token, kind in zip(tokens, kinds, strict=True) if kind != "."]
        kinds = kinds.replace(".", "")
    cut = _cut_words(tokens, kinds)
    first = next(cut, None)
    return any(word != first for word in cut)


def _cut_words(tokens: list[str], kinds: str) -> Iterator[str]:
    """Words that a string in no word makes with the one before it, behind it, or both."""
    known = english.kinds_of_words()
    around = ["", *tokens, ""]
    for unknown in _UNKNOWN.finditer(kinds):
        at = unknown.start()
        before, token, after = around[at : at + 3]
        if before + token in known and _is_cut(around[at : at + 2]):
            yield before + token
        if token + after in known and _is_cut(around[at + 1 : at + 3]):
            yield token + after
        if before + token + after in known and _is_cut(around[at : at + 3]):
            yield before + token + after


def _is_cut(parts: Sequence[str]) -> bool:
    return _joined(parts) is not None and not _is_affixed(parts)


def _joined(parts: Sequence[str]) -> str | None:
    """The word that parts make which are not all single letters."""
    word = "".join(parts)
    if not _LEAST_LETTERS <= len(word) <= _LONGEST or not english.is_word(word):
        return None
    return None if len(word) == len(parts) else word


def _is_affixed(parts: Sequence[str]) -> bool:
    before, after = parts[0], parts[-1]
    return len(parts) == 2 and (
        (before in _PREFIXES and english.is_word(after))
        or (after in _ENDINGS and english.is_word(before))
    )


def _parts(text: str) -> _Parts:
    spans = [part.span() for part in _PART.finditer(text) if part[1]]
    gaps = [
        text[end : min(start, end + _LONGEST_GAP + 1)] for (_, end), (start, _) in pairwise(spans)
    ]
    words = [text[start:end].lower() for start, end in spans]
    return _Parts(spans, words, gaps, list(map(_strength, gaps)))


def _strength(gap: str) -> int:
    if gap == " ":
        return _BY_SIGN
    if len(gap) > _LONGEST_GAP:
        return 0
    if _MARKUP.fullmatch(gap):
        return _BY_NOTHING if _EMPTY.fullmatch(gap) else _BY_MARKUP
    return _BY_SIGN if _SIGN.fullmatch(gap) else 0


def _joins(words: Sequence[str], strengths: Sequence[int]) -> Iterator[_Join]:
    """The words that parts make, where fewest letters stay in no word."""
    count = len(words)
    costs, sizes = [0.0] * (count + 1), [1] * count
    for first in range(count - 1, -1, -1):
        word = words[first]
        known, unseen = english.is_word(word), True
        best = costs[first + 1] + (1 if known else 1 + 2 * len(word))
        for last in range(first + 2, min(first + _MOST_PARTS, count) + 1):
            if not strengths[last - 2]:
                break
            unseen = unseen and strengths[last - 2] == _BY_NOTHING
            known = known and english.is_word(words[last - 1])
            cost = costs[last] + (0 if unseen else 1.5)
            if cost < best and (unseen or (not known and _joined(words[first:last]))):
                best, sizes[first] = cost, last - first
        costs[first] = best
    first = 0
    while first < count:
        last = first + sizes[first]
        if last > first + 1:
            yield _Join(first, last, "".join(words[first:last]))
        first = last


def _odd(join: _Join, parts: _Parts) -> Odd:
    weight = min(parts.strengths[join.first : join.last - 1])
    if weight < _BY_MARKUP and _is_affixed(parts.words[join.first : join.last]):
        weight = 0
    return Odd(parts.spans[join.first][0], parts.spans[join.last - 1][1], weight, join.word)


def _uncut(text: str, parts: _Parts, stretch: Stretch) -> str:
    """A stretch without its cuts, and without what made them elsewhere in it."""
    cuts = {at for one in stretch.odd for at in _between(parts, one.start, one.end)}
    used = {parts.gaps[at] for at in cuts}
    whole = cuts | {at + 1 for at in cuts}
    done, pieces = stretch.start, []
    for at in _between(parts, stretch.start, stretch.end):
        if at not in cuts:
            known = sum(one in whole or english.is_word(parts.words[one]) for one in (at, at + 1))
            # A blank between a name and another word is more often just that.
            if parts.gaps[at] not in used or known > (not parts.gaps[at].isspace()):
                continue
        pieces.append(text[done : parts.spans[at][1]])
        done = parts.spans[at + 1][0]
    view = "".join(pieces) + text[done : stretch.end]
    markup = " ".join(filter(_MARKUP.fullmatch, used))
    for mark in _MARKS:
        if mark in markup:
            view = view.replace(mark, "")
    if _UNSEEN.search(markup):
        view = _UNSEEN.sub("", view)
    names = set(_TAG_NAME.findall(markup))
    return _TAG_NAME.sub(lambda tag: "" if tag[1] in names else tag[0], view)


def _between(parts: _Parts, start: int, end: int) -> range:
    """The gaps that lie between two places."""
    first = bisect_left(parts.spans, (start, 0))
    return range(first, max(first, bisect_left(parts.spans, (end, 0)) - 1))
