"""A loopback server that speaks the wire formats of the vendors, and counts what arrives.

It answers every request with `text`, and with `arguments` as a tool call where they are set: as
JSON, or where the request asks for a stream as server-sent events with a few characters each.
"""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECE = 6


class Wire:
    """The server; a context manager that runs it in a thread.

    Attributes:
        text: What the model says.
        arguments: Arguments of the tool call that it makes, as JSON.
        failures: Statuses of the next answers, before the good one.
        without: Parts of names of events that are left out of streams.
        bodies: The requests that arrived.
    """

    def __init__(self) -> None:
        self.text = "The capital of France is Paris."
        self.arguments: str | None = None
        self.failures: list[int] = []
        self.without: tuple[str, ...] = ()
        self.bodies: list[Any] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Wire":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def keeps(self, event: str) -> bool:
        """Whether an event of a stream is sent."""
        return not any(each in event.partition("\n")[0] for each in self.without)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        wire = self

        class Handler(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True  # or each answer waits for an acknowledgement

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                wire.bodies.append(body)
                path = self.path.partition("?")[0]
                whole, events = next(_VENDORS[each] for each in _VENDORS if path.endswith(each))
                if wire.failures:
                    self._send(wire.failures.pop(0), "application/json", '{"error": {}}')
                elif body.get("stream"):
                    lines = events(wire.text, wire.arguments)
                    self._send(200, "text/event-stream", "".join(filter(wire.keeps, lines)))
                else:
                    answer = json.dumps(whole(wire.text, wire.arguments))
                    self._send(200, "application/json", answer)

            def _send(self, status: int, kind: str, content: str) -> None:
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content.encode())))
                self.send_header("retry-after-ms", "1")
                self.end_headers()
                self.wfile.write(content.encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE]


def _event(data: Any, name: str | None = None) -> str:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n"


def _chat(text: str, arguments: str | None) -> Any:
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
    }


def _chat_events(text: str, arguments: str | None) -> Iterator[str]:
    def chunk(delta: Any, finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        kind = "chat.completion.chunk"
        return _event(
            {"id": "chat_1", "object": kind, "created": 1, "model": "m", "choices": [choice]}
        )

    yield chunk({"role": "assistant", "content": ""})
    for piece in _pieces(text):
        yield chunk({"content": piece})
    if arguments is not None:
        call: dict[str, Any] = {"index": 0, "id": "call_1", "type": "function"}
        yield chunk({"tool_calls": [call | {"function": {"name": "look", "arguments": ""}}]})
        for piece in _pieces(arguments):
            yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    yield chunk({}, "stop")
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

    def event(kind: str, **fields: Any) -> str:
        name = f"response.{kind}"
        return _event({"type": name, "sequence_number": next(number), **fields}, name)

    whole = _response(text, arguments)
    yield event("created", response=whole | {"status": "in_progress", "output": []})
    message, *calls = whole["output"]
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    yield event("output_item.added", output_index=0, item=message | {"content": []})
    yield event("content_part.added", **at, part=message["content"][0] | {"text": ""})
    for piece in _pieces(text):
        yield event("output_text.delta", **at, delta=piece, logprobs=[])
    yield event("output_text.done", **at, text=text, logprobs=[])
    yield event("content_part.done", **at, part=message["content"][0])
    yield event("output_item.done", output_index=0, item=message)
    for call in calls:
        at = {"item_id": "fc_1", "output_index": 1}
        yield event("output_item.added", output_index=1, item=call | {"arguments": ""})
        for piece in _pieces(call["arguments"]):
            yield event("function_call_arguments.delta", **at, delta=piece)
        done = {"arguments": call["arguments"], "name": call["name"]}
        yield event("function_call_arguments.done", **at, **done)
        yield event("output_item.done", output_index=1, item=call)
    yield event("completed", response=whole)


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
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _message_events(text: str, arguments: str | None) -> Iterator[str]:
    def event(kind: str, **fields: Any) -> str:
        return _event({"type": kind, **fields}, kind)

    yield event("message_start", message=_message(text, None) | {"content": []})
    yield event("ping")
    for index, block in enumerate(_message(text, arguments)["content"]):
        is_text = block["type"] == "text"
        empty: dict[str, Any] = {"text": ""} if is_text else {"input": {}}
        yield event("content_block_start", index=index, content_block=block | empty)
        for piece in _pieces(text if is_text else json.dumps(block["input"])):
            delta = (
                {"type": "text_delta", "text": piece}
                if is_text
                else {"type": "input_json_delta", "partial_json": piece}
            )
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    yield event("message_delta", delta=stop, usage={"output_tokens": 1})
    yield event("message_stop")


Whole = Callable[[str, str | None], Any]
Events = Callable[[str, str | None], Iterator[str]]

_VENDORS: dict[str, tuple[Whole, Events]] = {
    "/chat/completions": (_chat, _chat_events),
    "/responses": (_response, _response_events),
    "/messages": (_message, _message_events),
}
