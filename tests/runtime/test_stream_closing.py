"""Streams that end early: closed, cancelled, or broken at their source."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from tests.runtime.streams import ATTACK, SMALL, collect, make
from tinyguardrail_sdk import Blocked, Classification, Guard, InputError, Source, StreamGuard
from tinyguardrail_sdk.testing import ScriptedClassifier


class Source_:
    """Deltas that notice being closed, and can fail."""

    def __init__(self, deltas: list[Any]) -> None:
        self.deltas = deltas
        self.closed = 0

    def __iter__(self) -> Iterator[str]:
        for delta in self.deltas:
            if isinstance(delta, Exception):
                raise delta
            yield delta

    async def __aiter__(self) -> AsyncIterator[str]:
        for delta in self:
            yield delta

    def close(self) -> None:
        self.closed += 1


def sync_run(stream: StreamGuard, source: Source_, most: int) -> list[str]:
    got: list[str] = []
    items = stream.wrap(source)
    try:
        while len(got) < most:
            got.append(next(items))
    except StopIteration:
        pass
    finally:
        items.close()
        assert source.closed
    return got


def async_run(stream: StreamGuard, source: Source_, most: int) -> list[str]:
    async def run() -> list[str]:
        got: list[str] = []
        items = stream.awrap(source)
        try:
            while len(got) < most:
                got.append(await anext(items))
        except StopAsyncIteration:
            pass
        finally:
            await items.aclose()
            assert source.closed
        return got

    return asyncio.run(run())


both = pytest.mark.parametrize("run", [sync_run, async_run])
Run = Callable[[StreamGuard, Source_, int], list[str]]


@both
@pytest.mark.parametrize("most", [0, 1, 99])
def test_closing_early_closes_the_source_and_lets_nothing_go(run: Run, most: int) -> None:
    stream, scripted = make()
    got = run(stream, Source_(["x" * 35] * 3), most)
    assert len("".join(got)) == {0: 0, 1: 15, 99: 105}[most]
    assert len(scripted.calls) == {0: 0, 1: 1, 99: 3}[most]
    assert stream.held == 0


@both
def test_an_error_of_the_source_passes_and_lets_nothing_go(run: Run) -> None:
    stream, _ = make()
    with pytest.raises(OSError, match="line"):
        run(stream, Source_(["x" * 35, OSError("line")]), 99)
    assert stream.released == 35  # dropped, not let go
    assert stream.held == 0
    with pytest.raises(InputError, match="closed"):
        stream.finish()


@both
def test_an_attack_closes_the_source(run: Run) -> None:
    stream, _ = make()
    with pytest.raises(Blocked):
        run(stream, Source_(["x" * 35, ATTACK, "more"]), 99)


def test_a_cancelled_check_lets_nothing_go() -> None:
    import threading

    entered, leave = threading.Event(), threading.Event()

    class Slow(ScriptedClassifier):
        def classify(self, text: str, source: Source) -> Classification:
            entered.set()
            leave.wait(10)
            return super().classify(text, source)

    async def main() -> None:
        stream = Guard(classifier=Slow()).stream(delay=SMALL)
        source = Source_(["x" * 35] * 3)
        task = asyncio.ensure_future(collect(stream.awrap(source)))
        while not entered.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        leave.set()
        assert source.closed
        assert stream.held == 0
        with pytest.raises(InputError, match="closed"):
            await stream.afinish()

    asyncio.run(main())
