"""What Gemini says on the wire."""

import json
from collections.abc import Iterator
from typing import Any

from tests.adapters.wire import Reply, event, pieces


def _answer(parts: list[Any], finish: str | None = "STOP") -> Any:
    candidate = {"index": 0, "content": {"role": "model", "parts": parts}, "finishReason": finish}
    return {"candidates": [candidate], "modelVersion": "m", "responseId": "r"}


def _call(arguments: str) -> Any:
    return {"functionCall": {"name": "look", "args": json.loads(arguments)}}


def _content(text: str, arguments: str | None) -> Any:
    calls = [] if arguments is None else [_call(arguments)]
    return _answer([{"text": text}, *calls])


def _events(text: str, arguments: str | None) -> Iterator[str]:
    for piece in pieces(text):
        yield event(_answer([{"text": piece}], None))
    if arguments is not None:
        yield event(_answer([_call(arguments)], None))
    yield event(_answer([{"text": ""}]))


REPLIES = {
    ":generateContent": Reply(_content, _events),
    ":streamGenerateContent": Reply(_content, _events, always=True),
}
