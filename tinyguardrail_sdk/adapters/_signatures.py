"""Methods that say `*args` where their documentation names the arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any


def spelled(method: Callable[..., Any], names: Sequence[str]) -> Callable[..., Any]:
    """Return a method whose signature names what may be given by position.

    Args:
        method: One that names these arguments itself is returned as it is.
        names: What the documentation calls them, in order.
    """
    taken = inspect.signature(method).parameters.values()
    if not any(each.kind is each.VAR_POSITIONAL for each in taken):
        return method

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        return method(*args, **kwargs)

    placed = [inspect.Parameter(each, inspect.Parameter.POSITIONAL_OR_KEYWORD) for each in names]
    rest = inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)
    call.__signature__ = inspect.Signature([*placed, rest])  # type: ignore[attr-defined]
    return call
