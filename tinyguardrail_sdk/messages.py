"""Where the text is in a list of chat messages, and who wrote it.

Reads what the big clients take and give: messages of OpenAI, Anthropic, Mistral, Cohere, Ollama and
Bedrock, items of OpenAI's Responses API, contents of Gemini, messages of LangChain and LlamaIndex,
as mappings or as objects with `model_dump`. Unknown shapes are an error, for a part that is not
understood is a part that is not checked. A content of None is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from tinyguardrail_sdk.content import (
    Parts,
    as_mapping,
    is_item,
    is_keyed,
    mappings,
    parts_of_content,
    parts_of_part,
    string,
    value_text,
)
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.verdict import Verdict

# None: the application's own words, which are instructions by right and are not checked.
_ROLES: dict[str, Source | None] = {
    "system": None,
    "developer": None,
    "user": Source.USER,
    "human": Source.USER,
    "assistant": Source.OUTPUT,
    "ai": Source.OUTPUT,
    "aimessagechunk": Source.OUTPUT,
    "chatbot": Source.OUTPUT,
    "model": Source.OUTPUT,
    "output": Source.OUTPUT,
    "tool": Source.TOOL,
    "function": Source.TOOL,
    "document": Source.DOCUMENT,
}
# Where a message has its content, by client: most; Gemini; LlamaIndex; Cohere's first API.
_CONTENT_KEYS = ("content", "parts", "blocks", "message")
# What a model said beside its content.
_SAID = ("refusal", "reasoning_content", "reasoning", "thinking", "tool_plan")
# Of a tool call: where the inner mapping is (the call itself last), and the key of the arguments.
_CALLS = (("function", "arguments"), ("custom", "input"), (None, "args"), (None, "parameters"))


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
    """The verdict on the text of one source in one message, or in several read together.

    Attributes:
        message: Index of the message in the list; of several, the last.
        source: Where its text was taken to come from.
        verdict: The answer. Its indices count in the parts of that source, joined by line breaks.
        joined: Indices of the messages that were read together; empty for a message by itself.
    """

    message: int
    source: Source
    verdict: Verdict
    joined: tuple[int, ...] = ()


def message_texts(messages: Iterable[Any]) -> list[MessageText]:
    """Collect what is to be checked from a list of messages.

    Args:
        messages: Mappings or objects with `model_dump`; a string is a user's, and a pair is a role
            or source with a content.

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


def looks_like_message(value: object) -> bool:
    """Whether a value has the outline of one message: a role, or a type that stands for one."""
    fields = as_mapping(value)
    if fields is None:
        return False
    kind = fields.get("type")
    return "role" in fields or is_role(kind) or is_item(kind) or is_keyed(fields)


def is_pair(value: object) -> bool:
    """Whether a value is a role or a source with its content."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        return False
    return is_role(value[0])


def is_role(value: object) -> TypeGuard[str]:
    """Whether this names who says a message, in large letters or small."""
    return isinstance(value, str) and value.lower() in _ROLES


def is_trusted(role: object) -> bool:
    """Whether a role is the application's own, whose words are not checked."""
    return is_role(role) and _ROLES[role.lower()] is None


def _parts_of_message(message: object) -> Parts:
    if isinstance(message, str):
        yield Source.USER, message
        return
    if isinstance(message, tuple | list) and len(message) == 2:
        message = {"role": message[0], "content": message[1]}
    fields = as_mapping(message)
    if fields is None:
        raise InputError("pass plain mappings (of a client's message object, its model_dump())")
    role = fields.get("role")
    if role is None and (is_item(fields.get("type")) or is_keyed(fields)):
        yield from parts_of_part(fields, Source.USER)
        return
    if role is None:  # LangChain names the role in the type; Gemini's is the user by default
        role = "user" if fields.get("parts") is not None else fields.get("type")
    if not is_role(role):
        raise InputError(f"'role' must be one of {', '.join(_ROLES)}")
    source = _ROLES[role.lower()]
    if source is not None:
        yield from _parts_of_role(fields, source)


def _parts_of_role(message: Mapping[str, Any], source: Source) -> Parts:
    contents = [message[key] for key in _CONTENT_KEYS if message.get(key) is not None]
    results = message.get("tool_results")  # of Cohere's first API
    # None is how clients write "no text, only tool calls"; only a model may leave the key out.
    named = any(key in message for key in (*_CONTENT_KEYS, "tool_results"))
    if not named and source is not Source.OUTPUT:
        raise InputError("'content' is missing")
    for content in contents:
        yield from parts_of_content(content, source)
    if results is not None:
        yield Source.TOOL, value_text(results)
    if source is Source.OUTPUT:
        yield from _parts_of_answer(message)


def _parts_of_answer(message: Mapping[str, Any]) -> Parts:
    for key in _SAID:
        if message.get(key) is not None:
            yield Source.OUTPUT, string(message, key)
    spoken = as_mapping(message.get("audio"))
    if spoken is not None and isinstance(spoken.get("transcript"), str):
        yield Source.OUTPUT, spoken["transcript"]
    if message.get("function_call") is not None:  # the older form of a single tool call
        yield Source.OUTPUT, _call_arguments({"function": message["function_call"]})
    for call in mappings(message.get("tool_calls") or (), "'tool_calls'"):
        yield Source.OUTPUT, _call_arguments(call)
    # Of LangChain: arguments that are no JSON.
    for call in mappings(message.get("invalid_tool_calls") or (), "'invalid_tool_calls'"):
        yield Source.OUTPUT, value_text(call.get("args") or "")


def _call_arguments(call: Mapping[str, Any]) -> str:
    for kind, key in _CALLS:
        inner = call if kind is None else as_mapping(call.get(kind))
        if inner is not None and inner.get(key) is not None:
            return value_text(inner[key])
    raise InputError("a tool call has neither 'function' nor 'custom', and no arguments")
