"""What a detector reports: a scored stretch of the raw text, and its decoded view if it has one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from tinyguardrail_sdk.labels import Pattern

MAX_MATCHES = 16
MAX_VIEW = 20_000


@dataclass(frozen=True, slots=True)
class Match:
    """One finding of one detector.

    Attributes:
        pattern: The detector that fired.
        score: Strength of the evidence in (0, 1].
        start: First character covered, as an offset into the raw text.
        end: One past the last character covered, as an offset into the raw text.
        reason: Short generic English; holds nothing of the checked text.
        decoded: The hidden text, at most `MAX_VIEW` characters, or None where nothing decodes.
    """

    pattern: Pattern
    score: float
    start: int
    end: int
    reason: str
    decoded: str | None = None


def strongest(matches: Iterable[Match]) -> list[Match]:
    """The `MAX_MATCHES` best, one a place: a match inside a better one says nothing new."""
    kept: list[Match] = []
    for match in sorted(matches, key=attrgetter("score"), reverse=True):
        if len(kept) == MAX_MATCHES:
            break
        if not any(best.start <= match.start and match.end <= best.end for best in kept):
            kept.append(match)
    return sorted(kept, key=attrgetter("start"))
