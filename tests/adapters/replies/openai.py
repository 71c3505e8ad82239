"""What OpenAI says on the wire."""

from collections.abc import Iterator
from typing import Any

from tests.adapters.wire import Reply, Said, event, pieces


def chat(said: Said) -> Any:
    message: dict[str, Any] = {"role": "assistant", "content": said.text}
    if said.reasoning is not None:  # as DeepSeek and others say it
        message["reasoning_content"] = said.reasoning
    if said.arguments is not None:
        function = {"name": "look", "arguments": said.arguments}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return {
        "id": "chat_1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def chat_chunk(delta: Any, finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    kind = "chat.completion.chunk"
    return event({"id": "chat_1", "object": kind, "created": 1, "model": "m", "choices": [choice]})


def chat_events(said: Said) -> Iterator[str]:
    yield chat_chunk({"role": "assistant", "content": ""})
    for piece in pieces(said.reasoning or ""):
        yield chat_chunk({"reasoning_content": piece})
    for piece in pieces(said.text):
        yield chat_chunk({"content": piece})
    if said.arguments is not None:
        call: dict[str, Any] = {"index": 0, "id": "call_1", "type": "function"}
        yield chat_chunk({"tool_calls": [call | {"function": {"name": "look", "arguments": ""}}]})
        for piece in pieces(said.arguments):
            yield chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    yield chat_chunk({}, "stop")
    yield "data: [DONE]\n\n"


def _output(said: Said, status: str) -> Iterator[dict[str, Any]]:
    if said.reasoning is not None:
        summary = [{"type": "summary_text", "text": said.reasoning}]
        yield {"type": "reasoning", "id": "rs_1", "summary": summary}
    part = {"type": "output_text", "text": said.text, "annotations": []}
    message = {"type": "message", "id": "msg_1", "status": status, "role": "assistant"}
    yield message | {"content": [part]}
    if said.arguments is not None:
        yield {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "look",
            "arguments": said.arguments,
            "status": status,
        }


def _response(said: Said, status: str = "completed") -> Any:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": status,
        "output": list(_output(said, status)),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


# A name of an event without what all of them begin with, and its fields.
_Event = tuple[str, dict[str, Any]]


def _response_events(said: Said) -> Iterator[str]:
    for number, (kind, fields) in enumerate(_events_of(_response(said))):
        name = f"response.{kind}"
        yield event({"type": name, "sequence_number": number, **fields}, name)


def _events_of(whole: Any) -> Iterator[_Event]:
    yield "created", {"response": whole | {"status": "in_progress", "output": []}}
    inside = {"reasoning": _summary_events, "message": _text_events, "function_call": _call_events}
    for index, item in enumerate(whole["output"]):
        key = {"reasoning": "summary", "message": "content"}.get(item["type"], "arguments")
        empty: Any = "" if key == "arguments" else []
        yield "output_item.added", {"output_index": index, "item": item | {key: empty}}
        yield from inside[item["type"]](item, {"item_id": item["id"], "output_index": index})
        yield "output_item.done", {"output_index": index, "item": item}
    yield "completed", {"response": whole}


def _summary_events(item: Any, at: dict[str, Any]) -> Iterator[_Event]:
    at, (part,) = at | {"summary_index": 0}, item["summary"]
    yield "reasoning_summary_part.added", at | {"part": part | {"text": ""}}
    for piece in pieces(part["text"]):
        yield "reasoning_summary_text.delta", at | {"delta": piece}
    yield "reasoning_summary_text.done", at | {"text": part["text"]}
    yield "reasoning_summary_part.done", at | {"part": part}


def _text_events(item: Any, at: dict[str, Any]) -> Iterator[_Event]:
    at, (part,) = at | {"content_index": 0}, item["content"]
    yield "content_part.added", at | {"part": part | {"text": ""}}
    for piece in pieces(part["text"]):
        yield "output_text.delta", at | {"delta": piece, "logprobs": []}
    yield "output_text.done", at | {"text": part["text"], "logprobs": []}
    yield "content_part.done", at | {"part": part}


def _call_events(item: Any, at: dict[str, Any]) -> Iterator[_Event]:
    for piece in pieces(item["arguments"]):
        yield "function_call_arguments.delta", at | {"delta": piece}
    done = {"arguments": item["arguments"], "name": item["name"]}
    yield "function_call_arguments.done", at | done


REPLIES = {
    "/chat/completions": Reply(chat, chat_events),
    "/responses": Reply(_response, _response_events),
    # What was stored.
    "/chat/completions/chat_1": Reply(chat, chat_events),
    "/responses/resp_1": Reply(_response, _response_events),
    "/responses/resp_1/cancel": Reply(_response, _response_events),
}
