"""Where the text is in messages of Anthropic, and in their streams."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._leaves import further
from tinyguardrail_sdk.adapters._streams import listed
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.messages import message_texts

# Of a delta: the key of its text. None: not words of the model, or words that were read before.
_DELTAS = {
    "text_delta": "text",
    "input_json_delta": "partial_json",
    "thinking_delta": "thinking",
    "signature_delta": None,
    "citations_delta": None,
}
# Blocks that begin empty and grow; the others come whole.
_GROWING = {
    "text": "text",
    "thinking": "thinking",
    "tool_use": "input",
    "server_tool_use": "input",
    "mcp_tool_use": "input",
}


class MessagesReader:
    """Reads messages and their streams."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        """Read the messages."""
        return listed(request.get("messages"))

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        """Read the content."""
        return [{"role": "assistant", "content": response["content"]}]

    def chunk(self, event: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        """Read an event of a stream; of one that is not known, every text."""
        kind = event.get("type")
        if kind == "content_block_delta":
            key = _key_of(event["delta"].get("type"))
            if key is not None:
                yield event["index"], event["delta"][key]
        elif kind == "content_block_start":
            block = event["content_block"]
            grows = _GROWING.get(block.get("type"))
            if grows is None or block.get(grows):
                yield from _whole(event["index"], [block])
        elif kind == "message_start":
            yield from _whole("start", event["message"]["content"])
        elif kind != "message_delta":  # that one says why and where the message stopped
            for place, text in further(event, ()):
                yield (kind, place), text


def _key_of(kind: Any) -> str | None:
    if kind not in _DELTAS:
        raise InputError(
            f"unknown type of delta; known are {', '.join(_DELTAS)}. Ask without a stream"
        )
    return _DELTAS[kind]


def _whole(key: Hashable, content: list[Any]) -> Iterator[tuple[Hashable, str]]:
    for each in message_texts([{"role": "assistant", "content": content}]):
        yield key, each.text
