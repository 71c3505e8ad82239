"""Functions that call each other by the names of their module: only the outermost one judges."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from tinyguardrail_sdk.checker import Checker

Function = Callable[..., Any]


@dataclass
class _Course:
    """A call that is judged, as long as it is under way.

    Tasks that were started meanwhile inherit it and may outlive it: `is_over` tells them.
    """

    guard: Checker
    is_over: bool = False


_course: ContextVar[_Course | None] = ContextVar("tinyguardrail_course", default=None)


def outermost(guard: Checker, original: Function, judging: Callable[[Function], Function]) -> Any:
    """Return a function that judges, but not in the course of another one of the same guard.

    An error of a check in there would be taken for one of the network, and tried again.

    Args:
        guard: Who judges.
        original: The function without a guard.
        judging: Makes of it one that judges.
    """
    if inspect.iscoroutinefunction(inspect.unwrap(original)):

        @functools.wraps(original)
        async def sent(*args: Any, **kwargs: Any) -> Any:
            with _under_way(guard):
                return await original(*args, **kwargs)

        judged = judging(sent)

        @functools.wraps(original)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            return await (original if _is_inside(guard) else judged)(*args, **kwargs)

        return acall
    return _outermost_now(guard, original, judging)


def _outermost_now(guard: Checker, original: Function, judging: Callable[[Function], Any]) -> Any:
    @functools.wraps(original)
    def sent(*args: Any, **kwargs: Any) -> Any:
        with _under_way(guard):
            return original(*args, **kwargs)

    judged = judging(sent)

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        return (original if _is_inside(guard) else judged)(*args, **kwargs)

    return call


def _is_inside(guard: Checker) -> bool:
    course = _course.get()
    return course is not None and course.guard is guard and not course.is_over


@contextmanager
def _under_way(guard: Checker) -> Iterator[None]:
    course = _Course(guard)
    before = _course.set(course)
    try:
        yield
    finally:
        course.is_over = True
        _course.reset(before)
