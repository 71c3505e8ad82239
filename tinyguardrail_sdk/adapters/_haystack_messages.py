"""Where the text is in what generators of Haystack take, give, and tell while they stream."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.files import file_text
from tinyguardrail_sdk.labels import Source

_SOURCES = {
    "user": Source.USER,
    "assistant": Source.OUTPUT,
    "tool": Source.TOOL,
    "system": None,  # the application's own words
}


class Reader:
    """Reads the arguments of `run`, and what it returned."""

    def request(self, given: Mapping[str, Any]) -> Iterable[Any]:
        """Read the messages, or the prompt of older generators."""
        for name in ("messages", "prompt"):
            asked = given.get(name) or ()
            for each in [asked] if isinstance(asked, str) else asked:
                yield from [each] if isinstance(each, str) else _parts(each)

    def response(self, answer: Mapping[str, Any]) -> Iterable[Any]:
        """Read the replies, whatever role they give themselves."""
        for each in answer["replies"]:
            yield from [each] if isinstance(each, str) else _parts(each, Source.OUTPUT)

    def chunk(self, chunk: Any) -> Iterable[tuple[Hashable, str]]:
        """Read a chunk of a stream."""
        return deltas(chunk)


def deltas(chunk: Any) -> Iterator[tuple[Hashable, str]]:
    """Yield the texts in a streaming chunk, each with the text that it goes on with."""
    index = getattr(chunk, "index", None)  # older chunks have nothing but content
    if chunk.content:
        yield ("text", index), chunk.content
    for call in getattr(chunk, "tool_calls", None) or ():
        if call.arguments:
            yield ("call", call.index), value_text(call.arguments)
    reasoning = getattr(chunk, "reasoning", None)
    if reasoning is not None and reasoning.reasoning_text:
        yield ("reasoning", index), reasoning.reasoning_text


def _parts(message: Any, owner: Source | None = None) -> Iterator[tuple[Source, str]]:
    source = owner or _SOURCES[message.role.value]
    if source is None:
        return
    found: dict[Source, list[str]] = {}
    for part in message._content:  # the public properties leave out what they do not know
        for whose, text in _part(part, source):
            found.setdefault(whose, []).append(text)
    for whose, texts in found.items():  # a model reads them as one
        yield whose, "\n".join(texts)


def _part(part: Any, source: Source) -> Iterator[tuple[Source, str]]:
    kind = type(part).__name__
    if kind == "TextContent":
        yield source, part.text
    elif kind == "ReasoningContent":
        yield source, part.reasoning_text
    elif kind == "ToolCall":
        yield Source.OUTPUT, value_text(part.arguments)
    elif kind == "ToolCallResult":
        for each in [part.result] if isinstance(part.result, str) else part.result:
            yield from [(Source.TOOL, each)] if isinstance(each, str) else _part(each, Source.TOOL)
    elif kind == "FileContent":
        yield Source.DOCUMENT, file_text(part.base64_data, part.mime_type, part.filename)
    elif kind != "ImageContent":
        raise InputError(f"a {kind} cannot be read; check its text by itself, and send that")
