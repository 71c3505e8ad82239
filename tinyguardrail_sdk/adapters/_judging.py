"""What makes of a method of a framework one that judges: a way for each form that methods have.

A door names the methods, the reader of their texts, and what is read of their arguments; the copies
that `judging_copy` returns do the rest.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from tinyguardrail_sdk.adapters._arguments import named
from tinyguardrail_sdk.adapters._bodies import AnyReader
from tinyguardrail_sdk.adapters._frameworks import Method, judge_of
from tinyguardrail_sdk.calls import guarded_acall, guarded_astream, guarded_call, guarded_stream
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.closing import AsyncClosingIterator
from tinyguardrail_sdk.errors import GuardrailError
from tinyguardrail_sdk.holdback import Delay

MakeReader: TypeAlias = Callable[[], AnyReader]
Send: TypeAlias = Callable[[], Any]
Args: TypeAlias = tuple[Any, ...]
Kwargs: TypeAlias = dict[str, Any]
# Of a copy, the original method and the arguments of a call: what the reader takes for the
# request, and what makes the call. Copies are pickled with it, so it must be importable.
Prepare: TypeAlias = Callable[[Any, Method, Args, Kwargs], tuple[Any, Send]]


@dataclass(frozen=True)
class First:
    """The request is the first argument, which may also be given by one of some names."""

    names: tuple[str, ...]

    def __call__(self, copied: Any, method: Method, args: Args, kwargs: Kwargs) -> tuple[Any, Send]:
        """Prepare a call."""
        known = (kwargs[name] for name in self.names if name in kwargs)
        request = args[0] if args else next(known, None)
        return request, functools.partial(method, *args, **kwargs)


def every(copied: Any, method: Method, args: Args, kwargs: Kwargs) -> tuple[Any, Send]:
    """Prepare a call whose request is the values of all arguments."""
    return [*args, *kwargs.values()], functools.partial(method, *args, **kwargs)


def by_name(copied: Any, method: Method, args: Args, kwargs: Kwargs) -> tuple[Any, Send]:
    """Prepare a call whose request is the arguments by name."""
    given = named(method, args, kwargs)
    return given, functools.partial(method, **given)


@dataclass(frozen=True)
class Call:
    """A method that answers.

    Attributes:
        reader: Makes the reader of a call.
        prepare: Takes the request from the arguments.
    """

    reader: MakeReader
    prepare: Prepare

    def __call__(self, original: Method) -> Method:
        """Return the method that judges."""

        @functools.wraps(original)
        def call(copied: Any, /, *args: Any, **kwargs: Any) -> Any:
            method = functools.partial(original, copied)
            return self.judged(copied, *self.prepare(copied, method, args, kwargs))

        return call

    def judged(self, copied: Any, request: Any, send: Send) -> Any:
        """Make one call."""
        guard, _ = judge_of(copied)
        return guarded_call(guard, self.reader(), request, send)


class Stream(Call):
    """A method that returns a stream."""

    def judged(self, copied: Any, request: Any, send: Send) -> Any:
        """Make one call."""
        guard, delay = judge_of(copied)
        return guarded_stream(guard, self.reader(), request, send, delay=delay)


class AsyncGenerating(Call):
    """A method that returns an asynchronous stream, and is not awaited."""

    def judged(self, copied: Any, request: Any, send: Send) -> Any:
        """Make one call."""
        guard, delay = judge_of(copied)

        async def begin() -> Any:
            return send()

        return once_asked(guard, delay, self.reader, request, begin)


class ACall(Call):
    """A method that is awaited, and answers."""

    def __call__(self, original: Method) -> Method:
        """Return the method that judges."""
        judging = super().__call__(original)

        @functools.wraps(original)
        async def call(copied: Any, /, *args: Any, **kwargs: Any) -> Any:
            return await judging(copied, *args, **kwargs)

        return call

    async def judged(self, copied: Any, request: Any, send: Send) -> Any:
        """Make one call."""
        guard, _ = judge_of(copied)
        return await guarded_acall(guard, self.reader(), request, send)


class AStream(ACall):
    """A method that is awaited, and returns an asynchronous stream."""

    async def judged(self, copied: Any, request: Any, send: Send) -> Any:
        """Make one call."""
        guard, delay = judge_of(copied)
        return await guarded_astream(guard, self.reader(), request, send, delay=delay)


@dataclass(frozen=True)
class Refused:
    """A method that a guarded copy does not have.

    Attributes:
        why: What the error says.
    """

    why: str

    def __call__(self, original: Method) -> Method:
        """Return the method that raises."""

        @functools.wraps(original)
        def call(*_: Any, **__: Any) -> Any:
            raise GuardrailError(self.why)

        return call


def once_asked(
    guard: Checker,
    delay: Delay | None,
    make_reader: MakeReader,
    request: Any,
    send: Callable[[], Awaitable[Any]],
) -> AsyncClosingIterator[Any]:
    """Return a stream whose request is judged and sent when its first chunk is asked for."""

    async def chunks() -> AsyncGenerator[Any, None]:
        stream = await guarded_astream(guard, make_reader(), request, send, delay=delay)
        async with stream:
            async for chunk in stream:
                yield chunk

    return AsyncClosingIterator(chunks())
