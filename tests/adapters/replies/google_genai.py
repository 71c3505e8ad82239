"""What Gemini says on the wire."""

import json
from collections.abc import Iterator
from typing import Any

from tests.adapters.wire import Reply, Said, event, pieces


def _answer(parts: list[Any], finish: str | None = "STOP") -> Any:
    candidate = {"index": 0, "content": {"role": "model", "parts": parts}, "finishReason": finish}
    return {"candidates": [candidate], "modelVersion": "m", "responseId": "r"}


def _call(arguments: str) -> Any:
    return {"functionCall": {"name": "look", "args": json.loads(arguments)}}


def _thought(reasoning: str) -> Any:
    return {"text": reasoning, "thought": True}


def _content(said: Said) -> Any:
    thoughts = [] if said.reasoning is None else [_thought(said.reasoning)]
    calls = [] if said.arguments is None else [_call(said.arguments)]
    return _answer([*thoughts, {"text": said.text}, *calls])


def _events(said: Said) -> Iterator[str]:
    for piece in pieces(said.reasoning or ""):
        yield event(_answer([_thought(piece)], None))
    for piece in pieces(said.text):
        yield event(_answer([{"text": piece}], None))
    if said.arguments is not None:
        yield event(_answer([_call(said.arguments)], None))
    yield event(_answer([{"text": ""}]))


REPLIES = {
    ":generateContent": Reply(_content, _events),
    ":streamGenerateContent": Reply(_content, _events, always=True),
}
