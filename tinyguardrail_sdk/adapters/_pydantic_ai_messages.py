"""Where the text is in messages, answers and events of Pydantic AI."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.files import file_text, is_media
from tinyguardrail_sdk.labels import Source

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


class MessagesReader:
    """Reads what a model is asked, and what it answers."""

    def request(self, messages: Iterable[Any]) -> Iterator[tuple[Source, str]]:
        """Read the messages."""
        for message in messages:
            for part in message.parts:
                yield from _part(part)

    def response(self, response: Any) -> Iterator[tuple[Source, str]]:
        """Read the answer, which is a message as well."""
        return self.request([response])

    def chunk(self, event: Any) -> Iterator[tuple[Hashable, str]]:
        """Read an event of a stream."""
        if hasattr(event, "part"):
            for _, text in _part(event.part):
                yield event.index, text
        elif hasattr(event, "delta"):
            name = next((each for each in _DELTAS if hasattr(event.delta, each)), None)
            if name is None:
                raise InputError(
                    f"{type(event.delta).__name__} cannot be read; ask without a stream"
                )
            if said := getattr(event.delta, name):
                yield event.index, value_text(said)


def _part(part: Any) -> Iterator[tuple[Source, str]]:
    kind = part.part_kind
    if kind == "user-prompt":
        yield from _contents(part.content)
    elif kind in _RETURNS:
        yield from tool_result(part.content)
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


def tool_result(result: Any) -> Iterator[tuple[Source, str]]:
    """Yield what a tool returned: values, files, or both with what the user seems to say."""
    if _is_own(result) and getattr(result, "kind", None) == "tool-return":
        yield from tool_result(result.return_value)
        yield from _contents(result.content or ())
    elif isinstance(result, list | tuple):
        for each in result:
            yield from tool_result(each)
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
    elif kind == "binary":
        if not is_media({"media_type": content.media_type}):
            yield Source.DOCUMENT, file_text(content.data, content.media_type)
    elif kind not in _NO_TEXT:
        raise InputError("a document that is not text cannot be read; check its text by itself")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value.model_dump() if hasattr(value, "model_dump") else value
