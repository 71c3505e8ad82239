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
from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import (
    Method,
    arefuse,
    judge_of,
    judging_copy,
    require,
)
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.chunks import aheld_chunks
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import Blocked, InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.streaming import StreamGuard

_RETURNS = ("tool-return", "builtin-tool-return")
_CALLS = ("tool-call", "builtin-tool-call")
# Of requests, what the application says; of answers, pictures and marks without words.
_OWN = (
    "system-prompt",
    "instruction",
    "instruction-delta",
    "instruction-digest",
    "instruction-baseline",
    "tool-availability-delta",
    "capability-load-delta",
    "model-settings-delta",
    "file",
)
_DELTAS = ("content_delta", "args_delta")
_NO_TEXT = ("image-url", "audio-url", "video-url", "cache-point")


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
            await arefuse(self._guard, _result(result))
        except Blocked:
            if self._tool_error is None:
                raise
            return self._tool_error
        return result


def _request(original: Method) -> Method:
    async def call(self: Any, messages: Any, *args: Any, **kwargs: Any) -> Any:
        guard, _ = judge_of(self)
        await arefuse(guard, _messages(messages))
        response = await original(self, messages, *args, **kwargs)
        await arefuse(guard, _messages([response]))
        return response

    return call


def _request_stream(original: Method) -> Method:
    @asynccontextmanager
    async def call(self: Any, messages: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        guard, delay = judge_of(self)
        await arefuse(guard, _messages(messages))
        async with original(self, messages, *args, **kwargs) as stream:
            _Held(stream, StreamGuard(guard, delay=delay))
            yield stream

    return call


_JUDGING = (("request", _request), ("request_stream", _request_stream))


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
        async with aheld_chunks(self._judge, self._events(), _deltas) as events:
            async for event in events:
                if hasattr(event, "part"):
                    self._parts[event.index] = event.part
                elif hasattr(event, "delta"):
                    self._parts[event.index] = event.delta.apply(self._parts[event.index])
                yield event

    def _so_far(self) -> Any:
        parts = [self._parts[index] for index in sorted(self._parts)]
        return dataclasses.replace(self._get(), parts=parts)


def _deltas(event: Any) -> Iterator[tuple[Hashable, str]]:
    if hasattr(event, "part"):
        for _, text in _part(event.part):
            yield event.index, text
    elif hasattr(event, "delta"):
        name = next((each for each in _DELTAS if hasattr(event.delta, each)), None)
        if name is None:
            raise InputError(f"{type(event.delta).__name__} cannot be read; ask without a stream")
        if said := getattr(event.delta, name):
            yield event.index, value_text(said)


def _messages(messages: Any) -> Iterator[tuple[Source, str]]:
    for message in messages:
        for part in message.parts:
            yield from _part(part)


def _part(part: Any) -> Iterator[tuple[Source, str]]:
    kind = part.part_kind
    if kind == "user-prompt":
        yield from _contents(part.content)
    elif kind in _RETURNS:
        yield from _result(part.content)
    elif kind in ("retry-prompt", "retry-feedback"):
        yield Source.TOOL, part.model_response()
    elif kind in _CALLS:
        if part.args:
            yield Source.OUTPUT, value_text(part.args)
    elif kind in ("text", "thinking", "compaction"):
        if part.content:
            yield Source.OUTPUT, part.content
    elif kind == "speech":
        if part.transcript:
            yield Source.USER if part.speaker == "user" else Source.OUTPUT, part.transcript
    elif kind not in _OWN:
        raise InputError(f"unknown kind of message part: {kind}; update tinyguardrail-sdk")


def _result(result: Any) -> Iterator[tuple[Source, str]]:
    """What a tool returned: values, files, or both wrapped with what the user seems to say."""
    if _is_own(result) and getattr(result, "kind", None) == "tool-return":
        yield from _result(result.return_value)
        yield from _contents(result.content or ())
    elif isinstance(result, list | tuple):
        for each in result:
            yield from _result(each)
    elif _is_own(result) and hasattr(result, "kind"):
        yield from _content(result, Source.TOOL)
    elif isinstance(result, Iterator):
        raise InputError("a tool returned an iterator, which can be read once; return a list")
    elif result is not None:
        yield Source.TOOL, value_text(_plain(result))


def _is_own(value: Any) -> bool:
    """Whether a value is the framework's: those of an application may have a `kind` as well."""
    return type(value).__module__.startswith("pydantic_ai.")


def _contents(content: Any) -> Iterator[tuple[Source, str]]:
    for each in [content] if isinstance(content, str) else content:
        yield from _content(each, Source.USER)


def _content(content: Any, source: Source) -> Iterator[tuple[Source, str]]:
    kind = "text" if isinstance(content, str) else content.kind
    if kind == "text":
        yield source, content
    elif kind in ("text-content", "structured-content"):
        yield source, content.content
    elif kind == "binary" and content.media_type.startswith("text/"):
        yield Source.DOCUMENT, content.data.decode(errors="replace")
    elif kind not in _NO_TEXT and not (
        kind == "binary" and content.media_type.startswith(("image/", "audio/", "video/"))
    ):
        raise InputError("a document that is not text cannot be read; check its text by itself")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value.model_dump() if hasattr(value, "model_dump") else value
