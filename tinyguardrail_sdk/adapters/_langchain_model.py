"""A LangChain chat model whose own methods judge: whatever calls it, nothing is told too early."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable, Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import (
    Judging,
    Method,
    arefuse,
    judge_of,
    judging_copy,
    refuse,
)
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.chunks import aheld_chunks, held_chunks
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.streaming import StreamGuard

# Beside the content: calls, which the message has itself, and what was parsed from the content.
_READ_ELSEWHERE = {"tool_calls", "parsed"}
# Of a content block: what are no words of the model, unless there are several.
_NO_WORDS = {"type", "id", "index", "name", "signature", "call_id"}


def guarded(model: Any, guard: Checker, delay: Delay | None, core: Any) -> Any:
    """Return a copy of a chat model that judges; `core` is the module with its base class."""
    if hasattr(model, "bound"):  # a model with arguments bound to it
        return model.model_copy(update={"bound": guarded(model.bound, guard, delay, core)})
    if not isinstance(model, core.BaseChatModel):
        raise InputError(f"{type(model).__name__} is no chat model that can be guarded")
    judging = (*_judging_methods(type(model), core.BaseChatModel), *_AROUND)
    copy = judging_copy(model, guard, delay, judging)
    if copy is not model:
        copy.cache = False  # an answer out of a cache would be neither judged nor held back
    return copy


def deltas(message: Any) -> Iterator[tuple[Hashable, str]]:
    """Yield the texts in a message chunk, each with the text that it goes on with."""
    blocks = message.content
    if isinstance(blocks, str):
        yield "text", blocks
        blocks = ()
    for place, block in enumerate(blocks):
        if isinstance(block, str):
            yield "text", block
            continue
        yield from _strings(block, block.get("index", place))
    for call in getattr(message, "tool_call_chunks", ()):
        yield ("call", call.get("index")), call.get("args") or ""
    yield from _beside(message)


def _generate(original: Method) -> Method:
    def call(
        self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Any:
        guard, _ = judge_of(self)
        refuse(guard, messages)
        result = original(self, messages, stop=stop, **kwargs)
        refuse(guard, _said(result))
        return result

    return call


def _agenerate(original: Method) -> Method:
    async def call(
        self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Any:
        guard, _ = judge_of(self)
        await arefuse(guard, messages)
        result = await original(self, messages, stop=stop, **kwargs)
        await arefuse(guard, _said(result))
        return result

    return call


def _stream(original: Method) -> Method:
    def call(
        self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[Any]:
        guard, delay = judge_of(self)
        refuse(guard, messages)
        chunks = original(self, messages, stop=stop, **kwargs)
        yield from held_chunks(StreamGuard(guard, delay=delay), chunks, _deltas_of_generation)

    return call


def _astream(original: Method) -> Method:
    async def call(
        self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        guard, delay = judge_of(self)
        await arefuse(guard, messages)
        chunks = original(self, messages, stop=stop, **kwargs)
        stream = StreamGuard(guard, delay=delay)
        async with aheld_chunks(stream, chunks, _deltas_of_generation) as held:
            async for chunk in held:
                yield chunk

    return call


# The methods of `BaseChatModel` that its own methods call. They are called without the run manager:
# some models tell it their tokens themselves, before anyone could judge them, and the caller of
# the method tells it what was cleared.
_JUDGING: Judging = (
    ("_generate", _generate),
    ("_agenerate", _agenerate),
    ("_stream", _stream),
    ("_astream", _astream),
)
# Ways around `_stream`. Without them, the events that they give are made of its chunks.
_AROUND: Judging = (("_stream_chat_model_events", None), ("_astream_chat_model_events", None))


def _said(result: Any) -> Iterator[Any]:
    for each in result.generations:
        yield each.message
        for _, text in _beside(each.message):
            yield Source.OUTPUT, text


def _beside(message: Any) -> Iterator[tuple[Hashable, str]]:
    """Yield what some models say beside the content of a message, such as their reasoning."""
    for key, value in message.additional_kwargs.items():
        if key == "audio" and isinstance(value, Mapping):  # the rest of it is sound
            yield key, value.get("transcript") or ""
        elif key not in _READ_ELSEWHERE and "signature" not in key:
            yield from _strings(value, key)


def _strings(value: Any, key: Hashable) -> Iterator[tuple[Hashable, str]]:
    """Yield the strings in a value, each with its place, where the next chunk goes on with it."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in _NO_WORDS or " " in str(inner):
                yield from _strings(inner, (key, name))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            index = inner.get("index", place) if isinstance(inner, Mapping) else place
            yield from _strings(inner, (key, index))


def _deltas_of_generation(chunk: Any) -> Iterable[tuple[Hashable, str]]:
    return ((key, text) for key, text in deltas(chunk.message) if text)


def _judging_methods(model: type[Any], base: type[Any]) -> Judging:
    # What the model has from the base is left to it: it calls the other methods, which judge.
    own = (each for each in _JUDGING if getattr(model, each[0]) is not getattr(base, each[0]))
    return tuple(own)
