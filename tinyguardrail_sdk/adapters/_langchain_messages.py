"""Where the text is in messages of LangChain, in their chunks, and in what goes through chains."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.messages import is_role

# Beside the content: calls, which the message has itself, and what was parsed from the content.
_READ_ELSEWHERE = {"tool_calls", "parsed"}
# Of a content block: what are no words of the model, unless there are several.
_NO_WORDS = {"type", "id", "index", "name", "signature", "call_id"}


class GenerationReader:
    """Reads the messages that a chat model is given, and the generations that it returns."""

    def request(self, messages: Iterable[Any]) -> Iterable[Any]:
        """Read the messages."""
        return messages

    def response(self, result: Any) -> Iterator[Any]:
        """Read the generations."""
        for each in result.generations:
            yield each.message
            for _, text in _beside(each.message):
                yield Source.OUTPUT, text

    def chunk(self, chunk: Any) -> Iterable[tuple[Hashable, str]]:
        """Read a chunk of a generation."""
        return item_deltas(chunk.message)


def item_deltas(item: Any) -> Iterator[tuple[Hashable, str]]:
    """Yield the texts in a string or a message chunk, each with the text that it goes on with."""
    found = [("text", item)] if isinstance(item, str) else _deltas(item)
    return ((key, text) for key, text in found if text)


def item_messages(item: Any, source: Source) -> Iterator[Any]:
    """Yield what is in an item of a chain, as `Guard.check_messages` takes it."""
    if isinstance(item, str):
        yield source, item
    elif hasattr(item, "page_content"):
        yield Source.DOCUMENT, item.page_content
    elif hasattr(item, "to_messages"):
        yield from item.to_messages()
    elif isinstance(item, Mapping) and not _is_message(item):
        for value in item.values():
            yield from item_messages(value, source)
    elif isinstance(item, list | tuple):
        for value in item:
            yield from item_messages(value, source)
    elif item is not None and not isinstance(item, bool | int | float):
        yield item


def _is_message(item: Mapping[Any, Any]) -> bool:
    """Whether this is a message; what a chain is given may have the keys of a content part."""
    return "content" in item and ("role" in item or is_role(item.get("type")))


def stream_source(item: Any, source: Source) -> Source | None:
    """Return where a stream that begins with an item is from; None where it is not held back."""
    if isinstance(item, str):
        return source
    return Source.OUTPUT if hasattr(item, "tool_call_chunks") else None


def tool_results(result: Any) -> Iterator[Any]:
    """Yield what a tool returned to the model: a message, or those that a command writes."""
    found = getattr(result, "update", [result])
    if isinstance(found, Mapping):
        found = found.get("messages")
    yield from (each for each in found or () if getattr(each, "type", None) != "remove")


def blanked(message: Any) -> Any:
    """Return what stands for a blocked message in the history: one of its kind without its text.

    Its tool calls stay, without arguments: vendors refuse a result whose call is not there.
    """
    empty: dict[str, Any] = {"content": "(blocked)", "additional_kwargs": {}}
    if message.type == "ai":
        calls = [{**call, "args": {}} for call in message.tool_calls]
        empty |= {"tool_calls": calls, "invalid_tool_calls": []}
    return message.model_copy(update=empty)


def _deltas(message: Any) -> Iterator[tuple[Hashable, str]]:
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
