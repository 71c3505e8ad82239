"""Streams whose text goes on only after the window around it was cleared.

```python
stream = guard.stream()
for delta in deltas:
    print(stream.feed(delta), end="")
print(stream.finish(), end="")
```

or `for text in guard.stream().wrap(deltas)`. Each tool call is a text of its own:
`stream.channel(index).feed(arguments_delta)`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tinyguardrail_sdk.checker import RAISE, Checker, OnBlock, answer_to, as_source
from tinyguardrail_sdk.closing import (
    AsyncClosingIterator,
    ClosingIterator,
    aclose_sources,
    close_sources,
)
from tinyguardrail_sdk.errors import Blocked, InputError
from tinyguardrail_sdk.holdback import Delay, HoldBack
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.verdict import Verdict


@dataclass(slots=True)
class _State:
    """What the channels of a stream share."""

    texts: list[HoldBack] = field(default_factory=list)
    closed: bool = False
    verdict: Verdict | None = None


class StreamGuard:
    """Judges one stream; for one task or thread at a time.

    After a check that blocks or breaks, nothing more is let go of any channel. An action `redact`
    counts as `block`, for what was redacted in a stream cannot be put back together.

    Args:
        guard: Who judges.
        source: Where the text comes from.
        delay: How much is held back, in characters.
        on_block: Text that ends a blocked stream, or a function of the verdict that gives it; by
            default `Blocked` is raised.
    """

    def __init__(
        self,
        guard: Checker,
        *,
        source: Source | str = Source.OUTPUT,
        delay: Delay | None = None,
        on_block: OnBlock[str] = RAISE,
    ) -> None:
        self._guard = guard
        self._source = as_source(source)
        self._delay = Delay() if delay is None else delay
        self._on_block = on_block
        self._state = _State()
        self._text = HoldBack(self._delay)
        self._state.texts.append(self._text)
        self._channels: dict[Hashable, StreamGuard] = {}

    def refuse_own_answer(self) -> None:
        """Make sure that a blocked stream raises, for those who hold chunks by it.

        Raises:
            InputError: It answers with a text of its own.
        """
        if self._on_block is not RAISE:
            raise InputError("a stream that holds chunks has no on_block of its own; give it them")

    @property
    def blocked(self) -> bool:
        """Whether a check has stopped the stream."""
        return self._state.verdict is not None

    @property
    def verdict(self) -> Verdict | None:
        """The verdict that stopped the stream; its indices count in the whole of its channel."""
        return self._state.verdict

    @property
    def delay(self) -> Delay:
        """How much is held back."""
        return self._delay

    @property
    def received(self) -> int:
        """Characters that came through this channel."""
        return self._text.received

    @property
    def released(self) -> int:
        """Characters of this channel that were let go."""
        return self._text.released

    @property
    def held(self) -> int:
        """Characters of this channel that wait."""
        return self._text.held

    def channel(self, key: Hashable) -> StreamGuard:
        """Return the part of the stream under a key, a tool call's arguments say; made once.

        It is held back and finished by itself. When one is blocked, all are.
        """
        if key not in self._channels:
            made = StreamGuard(
                self._guard, source=self._source, delay=self._delay, on_block=self._on_block
            )
            made._state = self._state
            self._state.texts.append(made._text)
            made._channels = self._channels
            self._channels[key] = made
        return self._channels[key]

    def feed(self, delta: str) -> str:
        """Take what came, and return what may go on: often nothing.

        Raises:
            Blocked: An attack, unless `on_block` says what to answer.
            CheckFailed: As `Guard.check`; the stream is closed.
            InputError: The delta is no string, or the stream is closed.
        """
        if not self._takes(delta):
            return ""
        return self._settle(self._delay.hold)

    def finish(self) -> str:
        """Check all that is held in this channel, and return it: at its end, or at a pause.

        Raises as `feed`. What follows a pause is read together with what came before it.
        """
        return self._settle() if self._is_open() else ""

    async def afeed(self, delta: str) -> str:
        """Like `feed`, off the event loop."""
        if not self._takes(delta):
            return ""
        return await self._asettle(self._delay.hold)

    async def afinish(self) -> str:
        """Like `finish`, off the event loop."""
        return await self._asettle() if self._is_open() else ""

    def close(self) -> None:
        """Throw away what is held in every channel; nothing more is let go."""
        self._state.closed = True
        for text in self._state.texts:
            text.drop()

    def wrap(self, deltas: Iterable[str]) -> ClosingIterator[str]:
        """Return an iterator over the text as it is cleared; it closes `deltas` in the end."""
        return ClosingIterator(self._wrapped(deltas), deltas)

    def awrap(self, deltas: AsyncIterable[str]) -> AsyncClosingIterator[str]:
        """Like `wrap` for an asynchronous iterator, with the checks off the event loop."""
        return AsyncClosingIterator(self._awrapped(deltas), deltas)

    def _wrapped(self, deltas: Iterable[str]) -> Generator[str, None, None]:
        iterator = iter(deltas)
        try:
            for delta in iterator:
                if text := self.feed(delta):
                    yield text
                if self.blocked:
                    return
            if text := self.finish():
                yield text
        finally:
            self.close()
            close_sources(deltas, iterator)

    async def _awrapped(self, deltas: AsyncIterable[str]) -> AsyncGenerator[str, None]:
        iterator = aiter(deltas)
        try:
            async for delta in iterator:
                if text := await self.afeed(delta):
                    yield text
                if self.blocked:
                    return
            if text := await self.afinish():
                yield text
        finally:
            self.close()
            await aclose_sources(deltas, iterator)

    def _takes(self, delta: object) -> bool:
        """Take a delta; whether the window is to be judged now."""
        if not isinstance(delta, str):
            raise InputError(f"a delta must be a str, not {type(delta).__name__}")
        return self._is_open() and self._text.add(delta)

    def _is_open(self) -> bool:
        verdict = self._state.verdict
        if verdict is not None:
            if self._on_block is RAISE:
                raise Blocked(verdict)
            return False
        if self._state.closed:
            raise InputError("the stream is closed; make a new one for other text")
        return True

    def _settle(self, keep: int = 0) -> str:
        if not self._text.unread:
            return self._text.release(keep)
        with self._closing_on_errors():
            verdict = self._guard.check(self._text.window, source=self._source)
            return self._decide(verdict, keep)

    async def _asettle(self, keep: int = 0) -> str:
        if not self._text.unread:
            return self._text.release(keep)
        with self._closing_on_errors():
            verdict = await self._guard.acheck(self._text.window, source=self._source)
            return self._decide(verdict, keep)

    def _decide(self, verdict: Verdict, keep: int) -> str:
        if not verdict.blocked:
            return self._text.release(keep)
        verdict = shifted(verdict, self._text.start)
        self._state.verdict = verdict
        self.close()
        answer: str = answer_to(verdict, self._on_block)
        return answer

    @contextmanager
    def _closing_on_errors(self) -> Iterator[None]:
        try:
            yield
        except BaseException:  # a cancelled check has cleared nothing either
            self.close()
            raise


def shifted(verdict: Verdict, by: int) -> Verdict:
    """Return the verdict on a window with its places counted from the start of the whole text.

    Without its redaction, which is one of the window: there is none of the whole text to release.
    """
    start, end = verdict.span
    return replace(
        verdict,
        redaction=None,
        span=(start + by, end + by),
        findings=tuple(
            replace(found, start=found.start + by, end=found.end + by) for found in verdict.findings
        ),
    )
