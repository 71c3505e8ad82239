"""Streams of a client's chunk objects, each let go whole and in order once its text was cleared."""

from __future__ import annotations

from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Callable,
    Generator,
    Hashable,
    Iterable,
    Iterator,
)
from typing import Generic, TypeVar

from tinyguardrail_sdk.checker import RAISE, OnBlock, answer_to
from tinyguardrail_sdk.closing import (
    AsyncClosingIterator,
    ClosingIterator,
    aclose_sources,
    close_sources,
)
from tinyguardrail_sdk.errors import Blocked
from tinyguardrail_sdk.streaming import StreamGuard

C = TypeVar("C")

# Of a chunk: the deltas in it, each with the text (a choice, a tool call) that it goes on with.
ReadChunk = Callable[[C], Iterable[tuple[Hashable, str]]]


def held_chunks(
    stream: StreamGuard, chunks: Iterable[C], read: ReadChunk[C], on_block: OnBlock[C] = RAISE
) -> ClosingIterator[C]:
    """Return an iterator over chunks as they are cleared; it closes `chunks` in the end.

    Fewer than `delay.hold + delay.every` characters wait at any time, besides one chunk's.

    Args:
        stream: Who judges; its own `on_block` must be the default.
        chunks: The client's stream.
        read: Where the text of a chunk is.
        on_block: The chunk that ends a blocked stream, or a function of the verdict that makes it;
            by default `Blocked` is raised.
    """
    stream.refuse_own_answer()
    return ClosingIterator(_held(stream, chunks, read, on_block), chunks)


def aheld_chunks(
    stream: StreamGuard, chunks: AsyncIterable[C], read: ReadChunk[C], on_block: OnBlock[C] = RAISE
) -> AsyncClosingIterator[C]:
    """Like `held_chunks` for an asynchronous iterator, with the checks off the event loop."""
    stream.refuse_own_answer()
    return AsyncClosingIterator(_aheld(stream, chunks, read, on_block), chunks)


def _held(
    stream: StreamGuard, chunks: Iterable[C], read: ReadChunk[C], on_block: OnBlock[C]
) -> Generator[C, None, None]:
    iterator = iter(chunks)
    queue = HeldChunks[C](stream)
    try:
        for chunk in iterator:
            yield from queue.feed(chunk, read(chunk))
        yield from queue.finish()
    except Blocked as error:
        yield _answer(stream, error, on_block)
    finally:
        stream.close()
        close_sources(chunks, iterator)


async def _aheld(
    stream: StreamGuard, chunks: AsyncIterable[C], read: ReadChunk[C], on_block: OnBlock[C]
) -> AsyncGenerator[C, None]:
    iterator = aiter(chunks)
    queue = HeldChunks[C](stream)
    try:
        async for chunk in iterator:
            for ready in await queue.afeed(chunk, read(chunk)):
                yield ready
        for ready in await queue.afinish():
            yield ready
    except Blocked as error:
        yield _answer(stream, error, on_block)
    finally:
        stream.close()
        await aclose_sources(chunks, iterator)


def _answer(stream: StreamGuard, error: Blocked, on_block: OnBlock[C]) -> C:
    if on_block is RAISE or error.verdict is not stream.verdict:  # the source has its own guard
        raise error
    answer: C = answer_to(error.verdict, on_block)
    return answer


class HeldChunks(Generic[C]):
    """Chunks that wait, each with how far its channels must have been cleared.

    For those to whom chunks are handed one by one; who iterates over them takes `held_chunks`. What
    the methods raise is what `StreamGuard.feed` raises.

    Args:
        stream: Who judges; its own `on_block` must be the default.
    """

    def __init__(self, stream: StreamGuard) -> None:
        stream.refuse_own_answer()
        self._stream = stream
        self._waiting: deque[tuple[C, list[tuple[StreamGuard, int]]]] = deque()
        self._channels: dict[StreamGuard, None] = {}
        self._limit = stream.delay.hold + stream.delay.every

    def feed(self, chunk: C, deltas: Iterable[tuple[Hashable, str]]) -> list[C]:
        """Take a chunk and the text in it; return the chunks that may go on, in order."""
        for channel, delta in self._add(chunk, deltas):
            channel.feed(delta)
        while (late := self._late()) is not None:
            late.finish()
        return self._cleared()

    def finish(self) -> list[C]:
        """Judge what is held, and return the chunks that wait."""
        for channel in self._channels:
            channel.finish()
        return self._cleared()

    async def afeed(self, chunk: C, deltas: Iterable[tuple[Hashable, str]]) -> list[C]:
        """Like `feed`, with the checks off the event loop."""
        for channel, delta in self._add(chunk, deltas):
            await channel.afeed(delta)
        while (late := self._late()) is not None:
            await late.afinish()
        return self._cleared()

    async def afinish(self) -> list[C]:
        """Like `finish`, with the checks off the event loop."""
        for channel in self._channels:
            await channel.afinish()
        return self._cleared()

    def _add(
        self, chunk: C, deltas: Iterable[tuple[Hashable, str]]
    ) -> Iterator[tuple[StreamGuard, str]]:
        """Queue a chunk, and yield each delta with the channel that is to be fed with it."""
        marks: list[tuple[StreamGuard, int]] = []
        self._waiting.append((chunk, marks))
        for key, delta in deltas:
            channel = self._stream.channel(key)
            self._channels[channel] = None
            marks.append((channel, channel.received + len(delta)))
            yield channel, delta

    def _late(self) -> StreamGuard | None:
        """The channel that holds up the first chunk, when too much waits behind it."""
        if sum(channel.held for channel in self._channels) < self._limit:
            return None
        for _, marks in self._waiting:
            for channel, position in marks:
                if channel.released < position:
                    return channel
        return None

    def _cleared(self) -> list[C]:
        """Take the chunks from the front whose text was cleared."""
        ready: list[C] = []
        while self._waiting:
            chunk, marks = self._waiting[0]
            if any(channel.released < position for channel, position in marks):
                break
            ready.append(chunk)
            self._waiting.popleft()
        return ready
