"""Iterators that close what they read from, even when they are closed before their first item."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any, TypeVar

_T = TypeVar("_T")


class ClosingIterator(Iterator[_T]):
    """A generator together with its sources; also a context manager."""

    def __init__(self, items: Generator[_T, None, None], *sources: object) -> None:
        self._items = items
        self._sources = sources

    def __next__(self) -> _T:
        return next(self._items)

    def __enter__(self) -> ClosingIterator[_T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let nothing more go, and close the sources."""
        self._items.close()
        close_sources(*self._sources)


class AsyncClosingIterator(AsyncIterator[_T]):
    """An asynchronous generator together with its sources; also a context manager."""

    def __init__(self, items: AsyncGenerator[_T, None], *sources: object) -> None:
        self._items = items
        self._sources = sources

    async def __anext__(self) -> _T:
        return await anext(self._items)

    async def __aenter__(self) -> AsyncClosingIterator[_T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let nothing more go, and close the sources."""
        await self._items.aclose()
        await aclose_sources(*self._sources)


def close_sources(*sources: Any) -> None:
    """Call `close` of each source that has it, once."""
    for source in {id(source): source for source in sources}.values():
        close = getattr(source, "close", None)
        if callable(close):
            close()


async def aclose_sources(*sources: Any) -> None:
    """Call `aclose`, or else `close`, of each source that has one, and await it where need be."""
    for source in {id(source): source for source in sources}.values():
        close = getattr(source, "aclose", None) or getattr(source, "close", None)
        done = close() if callable(close) else None
        if inspect.isawaitable(done):
            await done
