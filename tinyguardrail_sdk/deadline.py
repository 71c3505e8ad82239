"""A time limit that long work looks at now and then: Python cannot stop a thread from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from tinyguardrail_sdk.errors import CheckFailed

_T = TypeVar("_T")

# The moment on the `perf_counter` clock, and the milliseconds that were given.
_limit: ContextVar[tuple[float, float] | None] = ContextVar("tinyguardrail_deadline", default=None)


@contextmanager
def deadline(milliseconds: float | None) -> Iterator[None]:
    """Give what runs inside so many milliseconds from now; None changes nothing."""
    if milliseconds is None:
        yield
        return
    token = _limit.set((time.perf_counter() + milliseconds / 1000.0, milliseconds))
    try:
        yield
    finally:
        _limit.reset(token)


def uncounted(call: Callable[[], _T]) -> _T:
    """Call something once-only that the deadline of the check under way does not count."""
    began = time.perf_counter()
    result = call()
    limit = _limit.get()
    if limit is not None:
        _limit.set((limit[0] + time.perf_counter() - began, limit[1]))
    return result


def seconds_left() -> float | None:
    """Seconds until the deadline of the check under way, 0 once it has passed; None without one."""
    limit = _limit.get()
    return None if limit is None else max(0.0, limit[0] - time.perf_counter())


def check_deadline() -> None:
    """Stop if the time is up. For classifiers and custom detectors, between parts of their work.

    Raises:
        CheckFailed: The deadline of the check under way has passed.
    """
    limit = _limit.get()
    if limit is not None and time.perf_counter() > limit[0]:
        raise CheckFailed(f"the deadline of {limit[1]:g} ms passed; the text was not cleared")
