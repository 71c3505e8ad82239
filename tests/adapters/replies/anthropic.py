"""What Anthropic says on the wire."""

import json
from collections.abc import Iterator
from typing import Any

from tests.adapters.wire import Reply, event, pieces


def _message(text: str, arguments: str | None) -> Any:
    content: list[Any] = [{"type": "text", "text": text}]
    if arguments is not None:
        given = json.loads(arguments)
        content.append({"type": "tool_use", "id": "toolu_1", "name": "look", "input": given})
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": _stop_of(arguments),
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _stop_of(arguments: str | None) -> str:
    return "end_turn" if arguments is None else "tool_use"


def _message_events(text: str, arguments: str | None) -> Iterator[str]:
    def named(kind: str, **fields: Any) -> str:
        return event({"type": kind, **fields}, kind)

    yield named("message_start", message=_message(text, None) | {"content": []})
    yield named("ping")
    for index, block in enumerate(_message(text, arguments)["content"]):
        is_text = block["type"] == "text"
        empty: dict[str, Any] = {"text": ""} if is_text else {"input": {}}
        yield named("content_block_start", index=index, content_block=block | empty)
        for piece in pieces(text if is_text else json.dumps(block["input"])):
            delta = (
                {"type": "text_delta", "text": piece}
                if is_text
                else {"type": "input_json_delta", "partial_json": piece}
            )
            yield named("content_block_delta", index=index, delta=delta)
        yield named("content_block_stop", index=index)
    stop = {"stop_reason": _stop_of(arguments), "stop_sequence": None}
    yield named("message_delta", delta=stop, usage={"output_tokens": 1})
    yield named("message_stop")


REPLIES = {"/messages": Reply(_message, _message_events)}
