"""How models of Pydantic AI are judged, and their streams held back."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import Method, arefuse, judge_of
from tinyguardrail_sdk.adapters._judging import ACall, First
from tinyguardrail_sdk.adapters._pydantic_ai_messages import MessagesReader
from tinyguardrail_sdk.chunks import aheld_chunks
from tinyguardrail_sdk.streaming import StreamGuard


def _request_stream(original: Method) -> Method:
    @asynccontextmanager
    async def call(self: Any, messages: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        guard, delay = judge_of(self)
        await arefuse(guard, MessagesReader().request(messages))
        async with original(self, messages, *args, **kwargs) as stream:
            _Held(stream, StreamGuard(guard, delay=delay))
            yield stream

    return call


class _Held:
    """Puts itself between a streamed response and those who ask it for events, or what it has."""

    def __init__(self, stream: Any, judge: StreamGuard) -> None:
        self._judge = judge
        self._parts: dict[int, Any] = {}
        self._events = stream._get_event_iterator
        self._get = stream.get
        stream._get_event_iterator = self._released
        stream.get = self._so_far

    async def _released(self) -> AsyncIterator[Any]:
        async with aheld_chunks(self._judge, self._events(), MessagesReader().chunk) as events:
            async for event in events:
                if hasattr(event, "part"):
                    self._parts[event.index] = event.part
                elif hasattr(event, "delta"):
                    self._parts[event.index] = event.delta.apply(self._parts[event.index])
                yield event

    def _so_far(self) -> Any:
        parts = [self._parts[index] for index in sorted(self._parts)]
        return dataclasses.replace(self._get(), parts=parts)


JUDGING = (
    ("request", ACall(MessagesReader, First(("messages",)))),
    ("request_stream", _request_stream),
)
