"""Streams that iterate over themselves, and have more to say: they stay the objects they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import view_of


def own_iterator(stream: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return the chunks of a stream, and what makes it go through others instead.

    The chunks are those of a view, which iterates as the stream's class does; the stream itself
    becomes one of a subclass. Where its chunks are held back asynchronously, it can be gone through
    in that manner only.
    """
    kind: Any = type(stream)

    def put(held: Any) -> Any:
        space = _asynchronous(held) if hasattr(held, "__anext__") else _synchronous(held)
        space = {name: space[name] for name in space if hasattr(kind, name)}
        space["__module__"] = kind.__module__
        stream.__class__ = type(kind)(kind.__name__, (kind,), space)
        return stream

    return view_of(stream, kind), put


def _synchronous(held: Any) -> dict[str, Any]:
    async def following(_: Any) -> Any:
        for chunk in held:
            return chunk
        raise StopAsyncIteration

    return {
        "__iter__": lambda self: self,
        "__next__": lambda _: next(held),
        "__aiter__": lambda self: self,
        "__anext__": following,
        "close": lambda _: held.close(),
    }


def _asynchronous(held: Any) -> dict[str, Any]:
    async def following(_: Any) -> Any:
        return await anext(held)

    async def close(_: Any) -> None:
        await held.aclose()

    return {
        "__iter__": None,
        "__next__": None,
        "__aiter__": lambda self: self,
        "__anext__": following,
        "aclose": close,
    }
