"""What OpenAI says on the wire."""

from collections.abc import Iterator
from typing import Any

from tests.adapters.wire import Reply, event, pieces


def chat(text: str, arguments: str | None) -> Any:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if arguments is not None:
        function = {"name": "look", "arguments": arguments}
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


def chat_events(text: str, arguments: str | None) -> Iterator[str]:
    yield chat_chunk({"role": "assistant", "content": ""})
    for piece in pieces(text):
        yield chat_chunk({"content": piece})
    if arguments is not None:
        call: dict[str, Any] = {"index": 0, "id": "call_1", "type": "function"}
        yield chat_chunk({"tool_calls": [call | {"function": {"name": "look", "arguments": ""}}]})
        for piece in pieces(arguments):
            yield chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    yield chat_chunk({}, "stop")
    yield "data: [DONE]\n\n"


def _response(text: str, arguments: str | None, status: str = "completed") -> Any:
    part = {"type": "output_text", "text": text, "annotations": []}
    output: list[Any] = [
        {
            "type": "message",
            "id": "msg_1",
            "status": status,
            "role": "assistant",
            "content": [part],
        }
    ]
    if arguments is not None:
        output.append(
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "call_1",
                "name": "look",
                "arguments": arguments,
                "status": status,
            }
        )
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": status,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def _response_events(text: str, arguments: str | None) -> Iterator[str]:
    number = iter(range(10_000))

    def named(kind: str, **fields: Any) -> str:
        name = f"response.{kind}"
        return event({"type": name, "sequence_number": next(number), **fields}, name)

    whole = _response(text, arguments)
    yield named("created", response=whole | {"status": "in_progress", "output": []})
    message, *calls = whole["output"]
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    yield named("output_item.added", output_index=0, item=message | {"content": []})
    yield named("content_part.added", **at, part=message["content"][0] | {"text": ""})
    for piece in pieces(text):
        yield named("output_text.delta", **at, delta=piece, logprobs=[])
    yield named("output_text.done", **at, text=text, logprobs=[])
    yield named("content_part.done", **at, part=message["content"][0])
    yield named("output_item.done", output_index=0, item=message)
    for call in calls:
        at = {"item_id": "fc_1", "output_index": 1}
        yield named("output_item.added", output_index=1, item=call | {"arguments": ""})
        for piece in pieces(call["arguments"]):
            yield named("function_call_arguments.delta", **at, delta=piece)
        done = {"arguments": call["arguments"], "name": call["name"]}
        yield named("function_call_arguments.done", **at, **done)
        yield named("output_item.done", output_index=1, item=call)
    yield named("completed", response=whole)


REPLIES = {
    "/chat/completions": Reply(chat, chat_events),
    "/responses": Reply(_response, _response_events),
    # What was stored.
    "/chat/completions/chat_1": Reply(chat, chat_events),
    "/responses/resp_1": Reply(_response, _response_events),
    "/responses/resp_1/cancel": Reply(_response, _response_events),
}
