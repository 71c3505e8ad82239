"""A generator of Haystack whose own methods judge, and whose callback is told what is cleared."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import Method, judge_of, judging_copy
from tinyguardrail_sdk.adapters._haystack_messages import Reader, deltas
from tinyguardrail_sdk.adapters._judging import ACall, Args, Call, Kwargs, Refused, Send, by_name
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.chunks import HeldChunks
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.streaming import StreamGuard

_CALLBACK = "streaming_callback"
_SOCKETS = ("__haystack_input__", "__haystack_output__")


def guarded(generator: Any, guard: Checker, delay: Delay | None) -> Any:
    """Return a copy of a generator that judges, as `haystack.guard_generator` says."""
    present = tuple(each for each in _JUDGING if hasattr(generator, each[0]))
    made = judging_copy(generator, guard, delay, present)
    if made is not generator:  # a pipeline writes its connections into the sockets
        for name in _SOCKETS:
            sockets = vars(generator)[name]
            own = copy.deepcopy(sockets._sockets_dict)
            setattr(made, name, type(sockets)(made, own, sockets._sockets_io_type))
    return made


def _told(generator: Any, method: Method, args: Args, kwargs: Kwargs) -> tuple[Any, Send]:
    given, send = by_name(generator, method, args, kwargs)
    held = _held(generator, given)
    return given, send if held is None else functools.partial(held.through, method, given)


def _atold(generator: Any, method: Method, args: Args, kwargs: Kwargs) -> tuple[Any, Send]:
    given, send = by_name(generator, method, args, kwargs)
    held = _held(generator, given)
    return given, send if held is None else functools.partial(held.athrough, method, given)


def _held(generator: Any, given: Mapping[str, Any]) -> _HeldCallback | None:
    told = given.get(_CALLBACK) or getattr(generator, _CALLBACK, None)
    guard, delay = judge_of(generator)
    return None if told is None else _HeldCallback(StreamGuard(guard, delay=delay), told)


class _HeldCallback:
    """Stands for a streaming callback, and tells it the chunks that are cleared."""

    def __init__(self, stream: StreamGuard, told: Method) -> None:
        self._chunks = HeldChunks[Any](stream)
        self._told = told

    def through(self, method: Method, given: Mapping[str, Any]) -> Any:
        """Call a method that tells this one."""
        answer = method(**{**given, _CALLBACK: self._take})
        self._tell(self._chunks.finish())
        return answer

    async def athrough(self, method: Method, given: Mapping[str, Any]) -> Any:
        """Like `through` for a method that is awaited."""
        answer = await method(**{**given, _CALLBACK: self._atake})
        await self._atell(await self._chunks.afinish())
        return answer

    def _take(self, chunk: Any) -> None:
        self._tell(self._chunks.feed(chunk, deltas(chunk)))

    async def _atake(self, chunk: Any) -> None:
        await self._atell(await self._chunks.afeed(chunk, deltas(chunk)))

    def _tell(self, chunks: Iterable[Any]) -> None:
        for chunk in chunks:
            self._told(chunk)

    async def _atell(self, chunks: Iterable[Any]) -> None:
        for chunk in chunks:
            done = self._told(chunk)
            if inspect.isawaitable(done):
                await done


_JUDGING = (
    ("run", Call(Reader, _told)),
    ("run_async", ACall(Reader, _atold)),
    (
        "to_dict",
        Refused(
            "a guarded generator would be loaded again without its guard; save the pipeline with "
            "the plain one, and guard it where you load it"
        ),
    ),
)
