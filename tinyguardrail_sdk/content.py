"""Where the text is in one part of a message: content parts, Responses items, Gemini parts.

Three dialects. Parts with a `type` (OpenAI, Anthropic, Mistral, Cohere, LangChain) are looked up by
it, parts without one (Gemini, Bedrock) by their keys. What neither table knows is an error, for a
part that is not understood is a part that is not checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.files import file_text, file_texts, is_media, media_texts
from tinyguardrail_sdk.labels import Source

Parts = Iterator[tuple[Source, str]]

# What a type is called, and no sentence is.
_A_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")

_TOOL, _DOCUMENT, _OUTPUT = Source.TOOL, Source.DOCUMENT, Source.OUTPUT

# Type -> the key of its text, which must be there. The source is that of the message.
_TEXTS = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "summary_text": "text",
    "reasoning_text": "text",
    "refusal": "refusal",
}
# Type -> the keys that hold another content, and whose words are in it (None: the message's).
_CONTENTS: dict[str, tuple[tuple[str, Source | None], ...]] = {
    "thinking": (("thinking", None),),
    "tool_result": (("content", _TOOL),),
    "mcp_tool_result": (("content", _TOOL),),
    "search_result": (("content", _DOCUMENT),),
    "function_call_output": (("output", _TOOL),),
    "custom_tool_call_output": (("output", _TOOL),),
    "local_shell_call_output": (("output", _TOOL),),
    "apply_patch_call_output": (("output", _TOOL),),
    "reasoning": (("summary", _OUTPUT), ("content", _OUTPUT), ("reasoning", _OUTPUT)),
}
# Type -> the keys that hold any JSON value: arguments and results.
_VALUES: dict[str, tuple[tuple[str, Source | None], ...]] = {
    "tool_use": (("input", None),),
    "server_tool_use": (("input", None),),
    "mcp_tool_use": (("input", None),),
    "tool_call": (("args", _OUTPUT),),
    "invalid_tool_call": (("args", _OUTPUT),),
    "server_tool_call": (("args", _OUTPUT),),
    "server_tool_result": (("output", _TOOL),),
    "function_call": (("arguments", _OUTPUT),),
    "custom_tool_call": (("input", _OUTPUT),),
    "mcp_call": (("arguments", _OUTPUT), ("output", _TOOL), ("error", _TOOL)),
    "mcp_list_tools": (("tools", _TOOL),),  # a server's descriptions can be poisoned
    "mcp_approval_request": (("arguments", _OUTPUT),),
    "mcp_approval_response": (("reason", Source.USER),),
    "file_search_call": (("queries", _OUTPUT), ("results", _DOCUMENT)),
    "web_search_call": (("action", _OUTPUT),),
    "computer_call": (("action", _OUTPUT),),
    "local_shell_call": (("action", _OUTPUT),),
    "shell_call": (("action", _OUTPUT),),
    "shell_call_output": (("output", _TOOL),),
    "apply_patch_call": (("operation", _OUTPUT),),
    "code_interpreter_call": (("code", _OUTPUT), ("outputs", _TOOL)),
    "web_search_tool_result": (("content", _TOOL),),
    "web_fetch_tool_result": (("content", _TOOL),),
    "tool_search_tool_result": (("content", _TOOL),),
    "code_execution_tool_result": (("content", _TOOL),),
    "bash_code_execution_tool_result": (("content", _TOOL),),
    "text_editor_code_execution_tool_result": (("content", _TOOL),),
}
# Files, which may be text.
_FILES = {
    "input_file",  # OpenAI
    "file",  # OpenAI, LangChain, Mistral
    "text-plain",  # LangChain
    "document_url",  # Mistral
    "resource_link",  # Mistral
}
# Pictures, sound and films.
_MEDIA = {"image", "image_url", "input_image", "input_audio", "audio", "video"}
# References, and what only the vendor can read.
_NO_TEXT = {
    "redacted_thinking",
    "reference",
    "item_reference",
    "compaction",
    "computer_call_output",
    "image_generation_call",
}
# Without a type: key in lower case without underscores -> the key inside, and whose words.
_KEYED: dict[str, tuple[str, Source]] = {
    "functioncall": ("args", _OUTPUT),
    "functionresponse": ("response", _TOOL),
    "toolcall": ("args", _OUTPUT),
    "toolresponse": ("response", _TOOL),
    "audiotranscription": ("text", _OUTPUT),
    "executablecode": ("code", _OUTPUT),
    "codeexecutionresult": ("output", _TOOL),
    "tooluse": ("input", _OUTPUT),
    "reasoningcontent": ("reasoningText", _OUTPUT),
    "searchresult": ("content", _DOCUMENT),
    "guardcontent": ("text", Source.USER),
    "citationscontent": ("content", _OUTPUT),
}
_KEYED_NO_TEXT = {
    "tooladdition",
    "toolremoval",
    "image",
    "video",
    "audio",
    "cachepoint",
    "mediaresolution",
    "partmetadata",
    "thought",
    "thoughtsignature",
    "videometadata",
}
# Never shown to the model as words; the detectors would only see long codes in them.
_OPAQUE = {"encrypted_content", "encrypted_index", "signature"}


def as_mapping(value: object) -> Mapping[str, Any] | None:
    """Return a mapping as it is, an object with `model_dump` as one, anything else as None."""
    if isinstance(value, Mapping):
        return value
    dump = getattr(value, "model_dump", None)
    dumped = dump() if callable(dump) and not isinstance(value, type) else None
    return dumped if isinstance(dumped, Mapping) else None


def mappings(value: object, name: str) -> list[Mapping[str, Any]]:
    """Return a list of mappings or model objects as mappings.

    Raises:
        InputError: It is something else.
    """
    found = [as_mapping(each) for each in value] if _is_list(value) else [None]
    if any(each is None for each in found):
        raise InputError(f"{name} must be a list of mappings, or for 'content' a string")
    return [each for each in found if each is not None]


def is_item(kind: object) -> bool:
    """Whether a type names something that can stand in a list of messages without a role."""
    known = (_CONTENTS, _VALUES, _MEDIA, _NO_TEXT)
    return isinstance(kind, str) and any(kind in table for table in known)


def is_part(value: object) -> bool:
    """Whether this is a content part by itself, which says nothing of its role."""
    part = as_mapping(value)
    if part is None or "role" in part:
        return False
    kind = part.get("type")
    if kind == "document":  # by another outline it is a message
        return "source" in part or "document" in part
    if kind == "resource":
        return _is_resource(part)
    if kind == "file":  # many things are called that
        return any(key in part for key in ("file", "file_data", "base64", "source_type"))
    return kind in _TEXTS or kind in _FILES or is_item(kind) or is_keyed(part)


def is_keyed(part: Mapping[str, Any]) -> bool:
    """Whether this is a part that Gemini or Bedrock would take: no type, but a known key."""
    return "type" not in part and any(
        _plain(key) in {"text", "inlinedata", "filedata", *_KEYED} for key in part
    )


def parts_of_content(content: object, source: Source) -> Parts:
    """Yield the texts of a content: a string, or a list of parts and strings.

    Raises:
        InputError: A part is not understood.
    """
    if isinstance(content, str):
        yield source, content
        return
    for part in content if _is_list(content) else (content,):
        if isinstance(part, str) and part is not content:
            yield source, part
        else:
            (found,) = mappings([part] if _is_list(content) else content, "'content'")
            yield from parts_of_part(found, source)


def parts_of_part(part: Mapping[str, Any], source: Source) -> Parts:
    """Yield the texts of one content part, or of one item of the Responses API."""
    kind = part.get("type", part.get("block_type"))
    if kind is None and "type" not in part:
        yield from _parts_of_keyed(part, source)
        return
    kind = str(kind)
    if kind in _TEXTS:
        yield source, string(part, _TEXTS[kind])
    elif kind in _CONTENTS:
        yield from _headings(part)  # of a search result
        for key, owner in _CONTENTS[kind]:
            if part.get(key) is not None:
                yield from parts_of_content(part[key], owner or source)
            elif key in part and owner is _TOOL:
                yield owner, ""  # a tool that answered nothing
    elif kind in _VALUES:
        for key, owner in _VALUES[kind]:
            if part.get(key) is not None:
                yield owner or source, value_text(part[key])
    elif kind == "document":
        yield from _parts_of_document(part)
    elif kind == "resource" and _is_resource(part):
        yield _DOCUMENT, string(part, "uri")
        yield from parts_of_part(_inside(part.get("content")), _DOCUMENT)
    elif kind in _FILES:
        yield from ((_DOCUMENT, text) for text in file_texts(part))
    elif kind in _MEDIA:
        yield from ((_DOCUMENT, text) for text in media_texts(part))
    elif kind not in _NO_TEXT:
        named = {"document", "resource with 'uri' and 'content'"}
        known = sorted(named.union(_TEXTS, _CONTENTS, _VALUES, _FILES, _MEDIA, _NO_TEXT))
        # What is no name of a type may be text, which errors never repeat.
        this = f" {kind!r}" if _A_TYPE.fullmatch(kind) else ""
        raise InputError(
            f"unknown type{this} of content part; known are {', '.join(known)}. Leave this one "
            "out, or check its text by itself with check()"
        )


def value_text(value: object) -> str:
    """Return a string as it is, and any other value as JSON without what only a vendor reads."""
    if isinstance(value, str):
        return value
    return json.dumps(_readable(value), ensure_ascii=False, default=str)


def string(part: Mapping[str, Any], key: str) -> str:
    """Return the string under a key.

    Raises:
        InputError: There is none.
    """
    value = part.get(key)
    if not isinstance(value, str):
        raise InputError(f"'{key}' must be a string")
    return value


def _parts_of_keyed(part: Mapping[str, Any], source: Source) -> Parts:
    for key, value in part.items():
        name = _plain(key)
        if value is None or name in _KEYED_NO_TEXT:
            continue
        if name == "text":
            yield source, string(part, key)
        elif name == "json":
            yield source, value_text(value)
        elif name == "document":
            yield from _parts_of_document(_inside(value))
        elif name == "toolresult":
            yield from parts_of_content(_inside(value).get("content", ""), _TOOL)
        elif name in _KEYED:
            if name == "searchresult":
                yield from _headings(_inside(value))
            inner, owner = _KEYED[name]
            yield owner, value_text(_inside(value).get(inner))
            if name == "functionresponse":  # files beside it
                yield from parts_of_content(_inside(value).get("parts") or (), _TOOL)
        elif name in ("inlinedata", "filedata"):
            if not is_media(_inside(value)):
                yield from ((_DOCUMENT, text) for text in file_texts(_inside(value)))
        else:
            raise InputError(
                "unknown content part without a type; leave it out, or check its text by itself"
            )


def _parts_of_document(part: Mapping[str, Any]) -> Parts:
    yield from _headings(part)
    if part.get("document") is not None:  # as Cohere has it
        yield _DOCUMENT, value_text(_inside(part["document"]).get("data"))
        return
    inner = as_mapping(part.get("source"))
    if inner is None:
        raise InputError("a document has no 'source'")
    kind = inner.get("type")
    if kind == "text":
        yield _DOCUMENT, string(inner, "data")
    elif isinstance(inner.get("text"), str) and kind is None:
        yield _DOCUMENT, inner["text"]
    elif inner.get("content") is not None and kind in ("content", None):
        yield from parts_of_content(inner["content"], _DOCUMENT)
    elif kind is None:  # as Bedrock has it: the format is an extension
        yield _DOCUMENT, file_text(inner.get("bytes"), name=f".{part.get('format')}")
    else:
        yield from ((_DOCUMENT, text) for text in file_texts(inner))


def _is_resource(part: Mapping[str, Any]) -> bool:
    """Whether this is a part under an address, as Mistral has it; those of MCP are otherwise."""
    return "uri" in part and "content" in part


def _headings(part: Mapping[str, Any]) -> Parts:
    for key in ("title", "name", "context"):
        if part.get(key) is not None:
            yield _DOCUMENT, string(part, key)


def _inside(value: object) -> Mapping[str, Any]:
    (found,) = mappings([value], "a part's value")
    return found


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _plain(key: object) -> str:
    return str(key).replace("_", "").lower()


def _readable(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _readable(inner) for key, inner in value.items() if key not in _OPAQUE}
    return [_readable(each) for each in value] if isinstance(value, list | tuple) else value
