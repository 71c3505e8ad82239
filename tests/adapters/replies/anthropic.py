"""What Anthropic says on the wire."""

import json
from collections.abc import Iterator
from typing import Any

from tests.adapters.wire import Reply, Said, event, pieces


def _message(said: Said) -> Any:
    content: list[Any] = [{"type": "text", "text": said.text}]
    if said.reasoning is not None:
        content.insert(0, {"type": "thinking", "thinking": said.reasoning, "signature": "s"})
    if said.arguments is not None:
        given = json.loads(said.arguments)
        content.append({"type": "tool_use", "id": "toolu_1", "name": "look", "input": given})
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": _stop_of(said),
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _stop_of(said: Said) -> str:
    return "end_turn" if said.arguments is None else "tool_use"


# Of a block: what it has at its start, the type of its deltas and the key of the text in them.
_DELTAS: dict[str, tuple[dict[str, Any], str, str]] = {
    "thinking": ({"thinking": "", "signature": ""}, "thinking_delta", "thinking"),
    "text": ({"text": ""}, "text_delta", "text"),
    "tool_use": ({"input": {}}, "input_json_delta", "partial_json"),
}


def _message_events(said: Said) -> Iterator[str]:
    def named(kind: str, **fields: Any) -> str:
        return event({"type": kind, **fields}, kind)

    yield named("message_start", message=_message(said) | {"content": []})
    yield named("ping")
    for index, block in enumerate(_message(said)["content"]):
        empty, kind, key = _DELTAS[block["type"]]
        yield named("content_block_start", index=index, content_block=block | empty)
        whole = json.dumps(block["input"]) if "input" in block else block[block["type"]]
        for piece in pieces(whole):
            yield named("content_block_delta", index=index, delta={"type": kind, key: piece})
        if "signature" in block:
            signed = {"type": "signature_delta", "signature": "s"}
            yield named("content_block_delta", index=index, delta=signed)
        yield named("content_block_stop", index=index)
    stop = {"stop_reason": _stop_of(said), "stop_sequence": None}
    yield named("message_delta", delta=stop, usage={"output_tokens": 1})
    yield named("message_stop")


REPLIES = {"/messages": Reply(_message, _message_events)}
