"""What Ollama says on the wire: a line of JSON for each piece."""

import json
from collections.abc import Iterator
from typing import Any

from tests.adapters.wire import Reply, Said, pieces


def _chat(said: Said) -> Any:
    message: dict[str, Any] = {"role": "assistant", "content": said.text, **_thinking(said)}
    if said.arguments is not None:
        call = {"name": "look", "arguments": json.loads(said.arguments)}
        message["tool_calls"] = [{"function": call}]
    return _line(message=message, done=True)


def _generation(said: Said) -> Any:
    return _line(response=said.text, done=True, **_thinking(said))


def _thinking(said: Said) -> dict[str, str]:
    return {} if said.reasoning is None else {"thinking": said.reasoning}


def _line(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "created_at": "1970-01-01T00:00:00Z", **fields}


def _chat_lines(said: Said) -> Iterator[str]:
    for piece in pieces(said.reasoning or ""):
        message = {"role": "assistant", "content": "", "thinking": piece}
        yield json.dumps(_line(message=message, done=False)) + "\n"
    for piece in pieces(said.text):
        message = {"role": "assistant", "content": piece}
        yield json.dumps(_line(message=message, done=False)) + "\n"
    yield json.dumps(_chat(Said("", said.arguments))) + "\n"


def _generation_lines(said: Said) -> Iterator[str]:
    for piece in pieces(said.reasoning or ""):
        yield json.dumps(_line(response="", thinking=piece, done=False)) + "\n"
    for piece in pieces(said.text):
        yield json.dumps(_line(response=piece, done=False)) + "\n"
    yield json.dumps(_line(response="", done=True)) + "\n"


REPLIES = {
    "/api/chat": Reply(_chat, _chat_lines, kind="application/x-ndjson"),
    "/api/generate": Reply(_generation, _generation_lines, kind="application/x-ndjson"),
}
