"""What Ollama says on the wire: a line of JSON for each piece."""

import json
from collections.abc import Iterator
from typing import Any

from tests.adapters.wire import Reply, pieces


def _chat(text: str, arguments: str | None) -> Any:
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if arguments is not None:
        message["tool_calls"] = [{"function": {"name": "look", "arguments": json.loads(arguments)}}]
    return _line(message=message, done=True)


def _generation(text: str, _: str | None) -> Any:
    return _line(response=text, done=True)


def _line(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "created_at": "1970-01-01T00:00:00Z", **fields}


def _chat_lines(text: str, arguments: str | None) -> Iterator[str]:
    for piece in pieces(text):
        message = {"role": "assistant", "content": piece}
        yield json.dumps(_line(message=message, done=False)) + "\n"
    yield json.dumps(_chat("", arguments)) + "\n"


def _generation_lines(text: str, _: str | None) -> Iterator[str]:
    for piece in pieces(text):
        yield json.dumps(_line(response=piece, done=False)) + "\n"
    yield json.dumps(_line(response="", done=True)) + "\n"


REPLIES = {
    "/api/chat": Reply(_chat, _chat_lines, kind="application/x-ndjson"),
    "/api/generate": Reply(_generation, _generation_lines, kind="application/x-ndjson"),
}
