"""What a detector reports: a scored stretch of the raw text, and its decoded view if it has one.

Detectors report everything they find, for the network is shown all of it; a reader is shown the
strongest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter

from tinyguardrail_sdk.labels import Pattern

MAX_MATCHES = 16
MAX_VIEW = 20_000

_SENTENCE = 24  # characters


@dataclass(frozen=True, slots=True)
class Match:
    """One finding of one detector.

    Attributes:
        pattern: The detector that fired.
        score: Strength of the evidence in (0, 1].
        start: First character covered, as an offset into the raw text.
        end: One past the last character covered, as an offset into the raw text.
        reason: Short generic English; holds nothing of the checked text.
        decoded: The whole hidden text, or None where nothing decodes.
    """

    pattern: Pattern
    score: float
    start: int
    end: int
    reason: str
    decoded: str | None = None


def distinct(matches: Iterable[Match]) -> list[Match]:
    """The matches in the order of their places, without those that say nothing new.

    A match inside a better one says nothing new unless it decodes to a sentence of its own: a decoy
    around a hidden text must not hide it.
    """
    ranked = sorted(matches, key=attrgetter("score"), reverse=True)
    reach = _Reach(match.start for match in ranked)
    kept: list[Match] = []
    for match in ranked:
        if reach.of(match.start) < match.end or len(match.decoded or "") >= _SENTENCE:
            kept.append(match)
            reach.extend(match.start, match.end)
    return sorted(kept, key=attrgetter("start"))


def strongest(matches: Sequence[Match]) -> list[Match]:
    """What a reader is shown: the `MAX_MATCHES` best of each pattern, in the order given.

    Of a decoded view, `MAX_VIEW` characters are shown.
    """
    seen: Counter[Pattern] = Counter()
    kept: list[int] = []
    for index in sorted(range(len(matches)), key=lambda index: -matches[index].score):
        seen[matches[index].pattern] += 1
        if seen[matches[index].pattern] <= MAX_MATCHES:
            kept.append(index)
    return [_shortened(matches[index]) for index in sorted(kept)]


def whole_word(text: str, start: int, end: int, *, reach: int, stops: str = "") -> tuple[int, int]:
    """A span with the rest of the words that it cuts.

    Args:
        text: What the span is of.
        start: First character.
        end: One past the last character.
        reach: Most characters to add on either side.
        stops: Characters that end a word, as blanks do.
    """
    first, last = max(0, start - reach), min(len(text), end + reach)
    while start > first and not (text[start - 1].isspace() or text[start - 1] in stops):
        start -= 1
    while end < last and not (text[end].isspace() or text[end] in stops):
        end += 1
    return start, end


def lines(text: str) -> Iterator[tuple[int, int]]:
    """Where each line of a text begins and ends, blanks at its end left out."""
    start = 0
    for line in text.splitlines(keepends=True):
        if length := len(line.rstrip()):
            yield start, start + length
        start += len(line)


def blocks(text: str, sign: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Where runs of lines begin and end that each hold a sign; blank lines do not end one."""
    for held, run in groupby(lines(text), lambda line: bool(sign.search(text, *line))):
        if held:
            (start, end), *others = run
            yield start, others[-1][1] if others else end


class _Reach:
    """How far the spans reach that begin at a place or before it: a tree of running maxima."""

    def __init__(self, starts: Iterable[int]) -> None:
        self._place = {start: at for at, start in enumerate(sorted(set(starts)), 1)}
        self._ends = [0] * (len(self._place) + 1)

    def of(self, start: int) -> int:
        at, furthest = self._place[start], 0
        while at:
            furthest = max(furthest, self._ends[at])
            at &= at - 1
        return furthest

    def extend(self, start: int, end: int) -> None:
        at = self._place[start]
        while at < len(self._ends):
            self._ends[at] = max(self._ends[at], end)
            at += at & -at


def _shortened(match: Match) -> Match:
    if match.decoded is None or len(match.decoded) <= MAX_VIEW:
        return match
    return replace(match, decoded=match.decoded[:MAX_VIEW])
