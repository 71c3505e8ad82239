"""The arguments of a call, as readers find them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

# Arguments that may be iterators, which can be read once only: they are made lists.
_LISTED = ("messages", "input", "documents")


def named(
    method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Return the arguments of a method by name; iterators among them as lists.

    Raises:
        TypeError: They are not what the method takes, or one is there twice.
    """
    if args:
        placed = inspect.signature(method).bind_partial(*args).arguments
        twice = sorted(placed.keys() & kwargs.keys())
        if twice:
            raise TypeError(f"got multiple values for argument {twice[0]!r}")
        kwargs = placed | kwargs
    once = [name for name in _LISTED if isinstance(kwargs.get(name), Iterator)]
    return kwargs | {name: list(kwargs[name]) for name in once}
