"""Cutting the offending parts out of a text, and nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Span = tuple[int, int]

# Half an order is still one: a cut takes the sentence, as far as one reaches at most.
_REACH = 400
_END_OF_SENTENCE = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？]|[\r\n]")
_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class Redaction:
    """A text whose offending parts were replaced; every other character is as it was given.

    Attributes:
        text: The text that may go on.
        cuts: What was replaced, as character indices into the text as it was given: in order,
            apart from each other, none empty.
    """

    text: str = field(repr=False)
    cuts: tuple[Span, ...]


def redact(text: str, cuts: Sequence[Span], replacement: str) -> str:
    """Replace parts of a text.

    Args:
        text: As it was given.
        cuts: Spans in order that do not touch, as `merge` returns them.
        replacement: What stands for each.
    """
    kept = pairwise([0, *(place for cut in cuts for place in cut), len(text)])
    return replacement.join(text[start:end] for start, end in list(kept)[::2])


def merge(text: str, spans: Iterable[Span]) -> tuple[Span, ...]:
    """Put spans in order, join what overlaps or touches, and leave no character cut in half."""
    merged: list[Span] = []
    for start, end in sorted(_whole_characters(text, *span) for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)


def sentence(text: str, start: int, end: int) -> Span:
    """Widen a span to the sentences that it stands in."""
    first = max(0, start - _REACH)
    for found in _END_OF_SENTENCE.finditer(text, first, start):
        first = found.end()
    while first < start and text[first].isspace():
        first += 1
    last = min(len(text), end + _REACH)
    # From its last character on: a span that ends with the full stop ends a sentence.
    found_end = _END_OF_SENTENCE.search(text, max(start, end - 1), last)
    if found_end is not None:
        line_break = text[found_end.start()] in "\r\n"
        last = max(end, found_end.start() if line_break else found_end.end())
    return first, last


def original_span(span: Span, cuts: Sequence[Span], replacement: str) -> Span:
    """Where a span of a redacted text lies in the original; a replacement stands for its cut."""
    return (
        _original(span[0], cuts, len(replacement), at_end=False),
        _original(span[1], cuts, len(replacement), at_end=True),
    )


def _original(place: int, cuts: Sequence[Span], length: int, *, at_end: bool) -> int:
    shift = 0  # how far behind the original the redacted text is, after the cuts so far
    for start, end in cuts:
        begin = start - shift
        if place <= begin if at_end else place < begin:
            break
        if place <= begin + length if at_end else place < begin + length:
            return end if at_end else start
        shift += end - start - length
    return place + shift


def _whole_characters(text: str, start: int, end: int) -> Span:
    while end < len(text) and _continues(text, end):
        end += 1
    while start > 0 and _is_low(text[start]) and _is_high(text[start - 1]):
        start -= 1
    return start, end


def _continues(text: str, place: int) -> bool:
    """Whether a character belongs to the one before: a mark, a joiner, half of a pair."""
    here, before = text[place], text[place - 1]
    if here == _JOINER or unicodedata.category(here).startswith("M"):
        return True
    return _is_low(here) and _is_high(before)


def _is_high(character: str) -> bool:
    return "\ud800" <= character <= "\udbff"


def _is_low(character: str) -> bool:
    return "\udc00" <= character <= "\udfff"
