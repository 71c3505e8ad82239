"""Where the text is in requests and results of the Model Context Protocol."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._mcp_wire import CALL
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.files import file_text, is_media
from tinyguardrail_sdk.labels import Source

# Keys of schemas and listings whose values are codes, as long as they look like one.
_CODES = {"type", "format", "$schema", "$ref", "uri", "uriTemplate", "mimeType"}


def asked(method: str, params: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what is in a request."""
    if params.get("arguments"):
        source = Source.OUTPUT if method == CALL else Source.USER
        yield source, value_text(params["arguments"])


def said(method: str, result: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what is in a result; of those that have no shape of their own, all words."""
    if method == CALL and "content" in result:
        yield from _tool_result(result)
    elif method == "resources/read" and "contents" in result:
        for each in result["contents"]:
            yield from _resource(each)
    elif method == "prompts/get" and "messages" in result:
        for each in result["messages"]:
            source = Source.USER if each["role"] == "user" else Source.OUTPUT
            yield from _block(each["content"], source)
        yield from words(result.get("description"))
    elif method.endswith("/list"):
        for each in (
            item for items in result.values() if isinstance(items, list) for item in items
        ):
            yield from words(each)
    elif method == "initialize":
        yield from words(result.get("instructions"))
    else:
        yield from words(result)


def _tool_result(result: Mapping[str, Any]) -> Iterator[Any]:
    blocks = [found for block in result["content"] for found in _block(block, Source.TOOL)]
    yield from blocks
    # Servers send the same as text and as data.
    data = list(_leaves(result.get("structuredContent")))
    if data and data != [word for _, text in blocks for word in _leaves(_data(text))]:
        yield Source.TOOL, "\n".join(data)


def _block(block: Mapping[str, Any], source: Source) -> Iterator[tuple[Source, str]]:
    kind = block.get("type")
    if kind == "text":
        yield source, block["text"]
    elif kind == "resource":
        yield from _resource(block["resource"])
    elif kind == "resource_link":
        yield from words(block)
    elif kind not in ("image", "audio"):
        raise InputError("unknown type of content block; update tinyguardrail-sdk, or undo()")


def _resource(contents: Mapping[str, Any]) -> Iterator[tuple[Source, str]]:
    if "text" in contents:
        yield Source.DOCUMENT, contents["text"]
    elif not is_media(contents):
        told, name = contents.get("mimeType"), contents.get("uri")
        yield Source.DOCUMENT, file_text(contents["blob"], told, name)


def words(value: Any) -> Iterator[tuple[Source, str]]:
    """Yield what a server says of itself and of what it has, as one text."""
    found = list(_leaves(value, _CODES))
    if found:
        yield Source.TOOL, "\n".join(found)


def _data(text: str) -> Any:
    """What a text says as JSON, where it is an object or a list; else the text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | list) else text


def _leaves(value: Any, codes: Collection[str] = ()) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if not _looks_like_code(key):
                yield key
            if key not in codes or not _looks_like_code(each):
                yield from _leaves(each, codes)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, codes)


def _looks_like_code(value: Any) -> bool:
    return isinstance(value, str) and len(value) < 100 and len(value.split()) < 2
