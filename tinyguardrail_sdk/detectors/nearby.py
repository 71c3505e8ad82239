"""What odd words that stand near one another make up: a stretch of lines to be read as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

_NEAR = 60  # characters between two odd words
_REACH = 300  # characters of a line that are shown before the first and behind the last


class Odd(NamedTuple):
    """A word written in an odd way: its place, how much it says, and what it was."""

    start: int
    end: int
    weight: int
    word: str


class Stretch(NamedTuple):
    """A stretch of text and the odd words in it."""

    start: int
    end: int
    odd: list[Odd]

    @property
    def weight(self) -> int:
        """How much the odd words say together."""
        return weight_of(self.odd)


def stretches(text: str, odd: Iterable[Odd], least: int) -> Iterator[Stretch]:
    """Odd words of a weight of `least` together, with their lines; none overlaps another.

    Args:
        text: What the words are from.
        odd: The odd words in the order of their places.
        least: What they must weigh where they stand near one another.
    """
    last: Stretch | None = None
    for group in _groups(odd):
        if weight_of(group) < least:
            continue
        start = text.rfind("\n", max(0, group[0].start - _REACH), group[0].start) + 1
        end = text.find("\n", group[-1].end, group[-1].end + _REACH)
        start = start or max(0, group[0].start - _REACH)
        end = end if end >= 0 else min(len(text), group[-1].end + _REACH)
        if last and start <= last.end:
            last.odd.extend(group)
            last = last._replace(end=end)
            continue
        if last:
            yield last
        last = Stretch(start, end, group)
    if last:
        yield last


def weight_of(odd: Iterable[Odd]) -> int:
    """How much odd words say together; one that comes again says nothing more."""
    return sum({one.word: one.weight for one in odd}.values())


def _groups(odd: Iterable[Odd]) -> Iterator[list[Odd]]:
    group: list[Odd] = []
    for one in odd:
        if group and one.start - group[-1].end > _NEAR:
            yield group
            group = []
        group.append(one)
    if group:
        yield group
