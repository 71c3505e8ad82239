"""What Cohere's second API says on the wire."""

from collections.abc import Iterator
from typing import Any

from tests.adapters.wire import Reply, Said, event, pieces

_USAGE = {"tokens": {"input_tokens": 1, "output_tokens": 1}}


def _call(arguments: str) -> dict[str, Any]:
    return {
        "id": "call_1",
        "type": "function",
        "function": {"name": "look", "arguments": arguments},
    }


def _content(said: Said) -> list[dict[str, Any]]:
    text = {"type": "text", "text": said.text}
    if said.reasoning is None:
        return [text]
    return [{"type": "thinking", "thinking": said.reasoning}, text]


def _chat(said: Said) -> Any:
    message: dict[str, Any] = {"role": "assistant", "content": _content(said)}
    if said.arguments is not None:
        message["tool_calls"] = [_call(said.arguments)]
    return {"id": "chat_1", "finish_reason": "COMPLETE", "message": message, "usage": _USAGE}


def _chat_events(said: Said) -> Iterator[str]:
    def named(kind: str, message: Any = None, **fields: Any) -> str:
        delta = {} if message is None else {"delta": {"message": message}}
        return event({"type": kind, **delta, **fields}, kind)

    yield named(
        "message-start", {"role": "assistant", "content": [], "tool_calls": []}, id="chat_1"
    )
    for index, part in enumerate(_content(said)):
        key = part["type"]
        yield named("content-start", {"content": part | {key: ""}}, index=index)
        for piece in pieces(part[key]):
            yield named("content-delta", {"content": {key: piece}}, index=index)
        yield named("content-end", index=index)
    if said.arguments is not None:
        yield named("tool-call-start", {"tool_calls": _call("")}, index=0)
        for piece in pieces(said.arguments):
            call = {"function": {"arguments": piece}}
            yield named("tool-call-delta", {"tool_calls": call}, index=0)
        yield named("tool-call-end", index=0)
    yield named("message-end", delta={"finish_reason": "COMPLETE", "usage": _USAGE})


REPLIES = {"/v2/chat": Reply(_chat, _chat_events)}
