"""Lists of which each item is judged by itself: documents that a retriever found, say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import Blocked
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.verdict import Verdict

T = TypeVar("T")


def each_of(guard: Checker, texts: Iterable[str], source: Source) -> list[Verdict]:
    """Judge each text."""
    return [guard.check(text, source=source) for text in texts]


async def aeach_of(guard: Checker, texts: Iterable[str], source: Source) -> list[Verdict]:
    """Like `each_of`, off the event loop."""
    return [await guard.acheck(text, source=source) for text in texts]


def sorted_out(
    items: Sequence[T], verdicts: Sequence[Verdict], *, raising: bool
) -> tuple[list[T], list[T]]:
    """Return the items that are cleared, and the blocked ones.

    Raises:
        Blocked: With `raising`, the first that is blocked.
    """
    stop = next((each for each in verdicts if each.blocked), None)
    if stop is not None and raising:
        raise Blocked(stop)
    judged = list(zip(items, verdicts, strict=True))
    cleared = [item for item, verdict in judged if not verdict.blocked]
    return cleared, [item for item, verdict in judged if verdict.blocked]
