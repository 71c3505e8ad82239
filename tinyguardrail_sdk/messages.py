"""Where the text is in a list of chat messages, and who wrote it.

Reads the shapes that the OpenAI chat and Anthropic message formats share or are close in: a
mapping with a role and a content that is a string or a list of parts. Unknown shapes are an
error, for a part that is not understood is a part that is not checked. A content of None is empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.verdict import Verdict

# None: the application's own words, which are instructions by right and are not checked.
_ROLES: dict[str, Source | None] = {
    "system": None,
    "developer": None,
    "user": Source.USER,
    "assistant": Source.OUTPUT,
    "tool": Source.TOOL,
    "function": Source.TOOL,
}
# Part type -> the key of its text. The source is that of the role.
_TEXT_PARTS = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "refusal": "refusal",
    "thinking": "thinking",
}
# Parts that hold another content: its key, and the source of what is in it.
_NESTED_PARTS = {
    "tool_result": ("content", Source.TOOL),
    "search_result": ("content", Source.DOCUMENT),
}
_MEDIA_PARTS = {
    "image",
    "image_url",
    "input_image",
    "input_audio",
    "audio",
    "redacted_thinking",
}


@dataclass(frozen=True, slots=True)
class MessageText:
    """The text of one source in one message.

    Attributes:
        message: Index of the message in the list.
        source: Who wrote the text.
        text: All parts of that source in the message, joined by line breaks: a model reads them
            as one, so an attack that is cut in two must be seen as one.
    """

    message: int
    source: Source
    text: str


@dataclass(frozen=True, slots=True)
class MessageVerdict:
    """The verdict on the text of one source in one message.

    Attributes:
        message: Index of the message in the list.
        source: Where its text was taken to come from.
        verdict: The answer. Its indices count in the parts of that source, joined by line breaks.
    """

    message: int
    source: Source
    verdict: Verdict


def message_texts(messages: Iterable[Mapping[str, Any]]) -> list[MessageText]:
    """Collect what is to be checked from a list of messages.

    Raises:
        InputError: A message has a shape that is not understood; the error gives its index.
    """
    if isinstance(messages, str | bytes | Mapping) or not isinstance(messages, Iterable):
        raise InputError("messages must be a list of mappings with 'role' and 'content'")
    found: list[MessageText] = []
    for index, message in enumerate(messages):
        try:
            parts = list(_parts_of_message(message))
        except InputError as error:
            raise InputError(f"message {index}: {error}") from None
        for source in dict.fromkeys(source for source, _ in parts):
            text = "\n".join(text for owner, text in parts if owner is source)
            found.append(MessageText(index, source, text))
    return found


def _parts_of_message(message: object) -> Iterator[tuple[Source, str]]:
    if not isinstance(message, Mapping):
        raise InputError("pass plain mappings (of a client's message object, its model_dump())")
    role = message.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise InputError(f"'role' must be one of {', '.join(_ROLES)}")
    source = _ROLES[role]
    if source is None:
        return
    # None is how clients write "no text, only tool calls"; only assistants may leave the key out.
    content = message.get("content")
    if content is not None:
        yield from _parts_of_content(content, source)
    elif role != "assistant" and "content" not in message:
        raise InputError("'content' is missing")
    if message.get("refusal") is not None:
        yield source, _string(message, "refusal")
    if message.get("function_call") is not None:  # the older form of a single tool call
        yield source, _call_arguments({"function": message["function_call"]})
    for call in _mappings(message.get("tool_calls") or (), "'tool_calls'"):
        yield source, _call_arguments(call)


def _parts_of_content(content: object, source: Source) -> Iterator[tuple[Source, str]]:
    if isinstance(content, str):
        yield source, content
        return
    for part in _mappings(content, "'content'"):
        kind = str(part.get("type"))
        if kind in _TEXT_PARTS:
            yield source, _string(part, _TEXT_PARTS[kind])
        elif kind in _NESTED_PARTS:
            key, inner = _NESTED_PARTS[kind]
            yield from _headings(part)  # of a search result
            held = part.get(key)
            yield from _parts_of_content("" if held is None else held, inner)
        elif kind == "document":
            yield from _parts_of_document(part)
        elif kind == "tool_use":
            yield source, json.dumps(part.get("input"), ensure_ascii=False, default=str)
        elif kind not in _MEDIA_PARTS:
            known = sorted({*_TEXT_PARTS, *_NESTED_PARTS, *_MEDIA_PARTS, "document", "tool_use"})
            raise InputError(
                f"unknown type of content part; known are {', '.join(known)}. Leave this one "
                "out, or check its text by itself with check()"
            )


def _parts_of_document(part: Mapping[str, Any]) -> Iterator[tuple[Source, str]]:
    yield from _headings(part)
    inner = part.get("source")
    if not isinstance(inner, Mapping):
        raise InputError("a document has no 'source'")
    if inner.get("type") == "text":
        yield Source.DOCUMENT, _string(inner, "data")
    elif inner.get("type") == "content":
        yield from _parts_of_content(inner.get("content"), Source.DOCUMENT)
    else:
        raise InputError("a document that is not text cannot be read; check its text by itself")


def _headings(part: Mapping[str, Any]) -> Iterator[tuple[Source, str]]:
    for key in ("title", "context"):
        if part.get(key) is not None:
            yield Source.DOCUMENT, _string(part, key)


def _call_arguments(call: Mapping[str, Any]) -> str:
    for kind, key in (("function", "arguments"), ("custom", "input")):
        inner = call.get(kind)
        if isinstance(inner, Mapping):
            return _string(inner, key)
    raise InputError("a tool call has neither 'function' nor 'custom'")


def _mappings(value: object, name: str) -> Sequence[Mapping[str, Any]]:
    if isinstance(value, Sequence) and all(isinstance(part, Mapping) for part in value):
        return value
    raise InputError(f"{name} must be a list of mappings, or for 'content' a string")


def _string(part: Mapping[str, Any], key: str) -> str:
    value = part.get(key)
    if not isinstance(value, str):
        raise InputError(f"'{key}' must be a string")
    return value
