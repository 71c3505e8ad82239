"""Pydantic AI: guarded models, and a capability for agents.

pip install "tinyguardrail-sdk[pydantic-ai]"

    agent = Agent("openai:gpt-5-mini", capabilities=[capability(guard)])
    agent = Agent(guard_model(OpenAIResponsesModel("gpt-5-mini"), guard))

A guarded model judges its messages before it is asked, its answer before anyone sees it, and holds
streams back until they are cleared, with what the stream says it has received so far. The
capability does that to whatever model serves a request, and judges what tools return.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import (
    Method,
    arefuse,
    judge_of,
    judging_copy,
    require,
)
from tinyguardrail_sdk.adapters._judging import ACall, First
from tinyguardrail_sdk.adapters._pydantic_ai_messages import MessagesReader, tool_result
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.chunks import aheld_chunks
from tinyguardrail_sdk.errors import Blocked
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.streaming import StreamGuard


def guard_model(model: Any, guard: Checker, *, delay: Delay | None = None) -> Any:
    """Return a guarded copy of a model; batches and realtime sessions of it are not judged.

    Args:
        model: A `Model`, or the name of one.
        guard: Who judges.
        delay: How much of a stream is held back.

    Raises:
        ImportError: Pydantic AI is not installed.
        GuardrailError: Another guard is on it already.
    """
    models = require("pydantic_ai.models", "pydantic-ai")
    return judging_copy(models.infer_model(model), guard, delay, _JUDGING)


def capability(guard: Checker, *, delay: Delay | None = None, tool_error: str | None = None) -> Any:
    """Return a capability for the `capabilities` of an `Agent`; put it last.

    Args:
        guard: Who judges.
        delay: How much of a stream is held back.
        tool_error: What the model reads in place of a blocked tool result, so that the run goes on;
            by default `Blocked` is raised.

    Raises:
        ImportError: Pydantic AI is not installed, or has no capabilities yet.
    """
    base = require("pydantic_ai.capabilities", "pydantic-ai").AbstractCapability
    made = type("GuardCapability", (_Hooks, base), {})
    return made(guard, delay, tool_error)


class _Hooks:
    """The hooks of the capability."""

    def __init__(self, guard: Checker, delay: Delay | None, tool_error: str | None) -> None:
        self._guard = guard
        self._delay = delay
        self._tool_error = tool_error

    async def before_model_request(self, ctx: Any, request_context: Any) -> Any:
        model = guard_model(request_context.model, self._guard, delay=self._delay)
        return dataclasses.replace(request_context, model=model)

    async def after_tool_execute(
        self, ctx: Any, *, call: Any, tool_def: Any, args: Any, result: Any
    ) -> Any:
        try:
            await arefuse(self._guard, tool_result(result))
        except Blocked:
            if self._tool_error is None:
                raise
            return self._tool_error
        return result


def _request_stream(original: Method) -> Method:
    @asynccontextmanager
    async def call(self: Any, messages: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        guard, delay = judge_of(self)
        await arefuse(guard, MessagesReader().request(messages))
        async with original(self, messages, *args, **kwargs) as stream:
            _Held(stream, StreamGuard(guard, delay=delay))
            yield stream

    return call


_JUDGING = (
    ("request", ACall(MessagesReader, First(("messages",)))),
    ("request_stream", _request_stream),
)


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
