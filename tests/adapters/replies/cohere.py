"""What Cohere's second API says on the wire."""

from collections.abc import Iterator
from typing import Any

from tests.adapters.wire import Reply, event, pieces

_USAGE = {"tokens": {"input_tokens": 1, "output_tokens": 1}}


def _call(arguments: str) -> dict[str, Any]:
    return {
        "id": "call_1",
        "type": "function",
        "function": {"name": "look", "arguments": arguments},
    }


def _chat(text: str, arguments: str | None) -> Any:
    message: dict[str, Any] = {"role": "assistant", "content": [{"type": "text", "text": text}]}
    if arguments is not None:
        message["tool_calls"] = [_call(arguments)]
    return {"id": "chat_1", "finish_reason": "COMPLETE", "message": message, "usage": _USAGE}


def _chat_events(text: str, arguments: str | None) -> Iterator[str]:
    def named(kind: str, message: Any = None, **fields: Any) -> str:
        delta = {} if message is None else {"delta": {"message": message}}
        return event({"type": kind, **delta, **fields}, kind)

    yield named(
        "message-start", {"role": "assistant", "content": [], "tool_calls": []}, id="chat_1"
    )
    yield named("content-start", {"content": {"type": "text", "text": ""}}, index=0)
    for piece in pieces(text):
        yield named("content-delta", {"content": {"text": piece}}, index=0)
    yield named("content-end", index=0)
    if arguments is not None:
        yield named("tool-call-start", {"tool_calls": _call("")}, index=0)
        for piece in pieces(arguments):
            call = {"function": {"arguments": piece}}
            yield named("tool-call-delta", {"tool_calls": call}, index=0)
        yield named("tool-call-end", index=0)
    yield named("message-end", delta={"finish_reason": "COMPLETE", "usage": _USAGE})


REPLIES = {"/v2/chat": Reply(_chat, _chat_events)}
