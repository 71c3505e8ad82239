"""What a LangChain `Runnable` lets pass: streams as they are cleared, anything else as a whole."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import arefuse, refuse
from tinyguardrail_sdk.adapters._langchain_messages import (
    item_deltas,
    item_messages,
    stream_source,
)
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.chunks import aheld_chunks, held_chunks
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.streaming import StreamGuard

_NOTHING = object()


@dataclass(frozen=True)
class Passing:
    """Passes on what it is given, if it is cleared.

    Attributes:
        guard: Who judges.
        source: Where plain texts come from.
        delay: How much of a stream is held back.
    """

    guard: Checker
    source: Source
    delay: Delay | None

    def transform(self, items: Iterator[Any]) -> Iterator[Any]:
        """Yield items, or all of them put together.

        Args:
            items: Texts or message chunks, which are held back as a stream, or anything else that
                `item_messages` reads, which is gathered.

        Raises:
            Blocked: They must not go on; of a stream, those before were yielded.
            InputError: As `Guard.check_messages`.
        """
        if (first := next(items, _NOTHING)) is _NOTHING:
            return
        if (stream := self._stream_of(first)) is not None:
            yield from held_chunks(stream, itertools.chain([first], items), item_deltas)
            return
        whole = functools.reduce(operator.add, items, first)
        refuse(self.guard, item_messages(whole, self.source))
        yield whole

    async def atransform(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Like `transform`, asynchronously."""
        if (first := await anext(items, _NOTHING)) is _NOTHING:
            return
        if (stream := self._stream_of(first)) is not None:
            async with aheld_chunks(stream, _chained(first, items), item_deltas) as held:
                async for item in held:
                    yield item
            return
        whole = functools.reduce(operator.add, [item async for item in items], first)
        await arefuse(self.guard, item_messages(whole, self.source))
        yield whole

    def _stream_of(self, first: Any) -> StreamGuard | None:
        """What holds items back that begin with this one; None where they are gathered."""
        source = stream_source(first, self.source)
        return None if source is None else StreamGuard(self.guard, source=source, delay=self.delay)


async def _chained(first: Any, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    yield first
    async for item in items:
        yield item
