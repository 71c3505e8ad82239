"""What Bedrock says on the wire: streams are of Amazon's binary event messages."""

import base64
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from tests.adapters.replies import anthropic
from tests.adapters.wire import Reply, pieces

_USAGE = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
_METRICS = {"latencyMs": 1}


def _converse(text: str, arguments: str | None) -> Any:
    content: list[Any] = [{"text": text}]
    if arguments is not None:
        call = {"toolUseId": "t", "name": "look", "input": json.loads(arguments)}
        content.append({"toolUse": call})
    message = {"role": "assistant", "content": content}
    return {
        "output": {"message": message},
        "stopReason": "end_turn",
        "usage": _USAGE,
        "metrics": _METRICS,
    }


def _events(text: str, arguments: str | None) -> Iterator[bytes]:
    yield _message("messageStart", role="assistant")
    for piece in pieces(text):
        yield _message("contentBlockDelta", contentBlockIndex=0, delta={"text": piece})
    yield _message("contentBlockStop", contentBlockIndex=0)
    if arguments is not None:
        start = {"toolUse": {"toolUseId": "t", "name": "look"}}
        yield _message("contentBlockStart", contentBlockIndex=1, start=start)
        for piece in pieces(arguments):
            delta = {"toolUse": {"input": piece}}
            yield _message("contentBlockDelta", contentBlockIndex=1, delta=delta)
        yield _message("contentBlockStop", contentBlockIndex=1)
    yield _message("messageStop", stopReason="end_turn")
    yield _message("metadata", usage=_USAGE, metrics=_METRICS)


def _chunks(text: str, arguments: str | None) -> Iterator[bytes]:
    """A stream of one of Anthropic's models: its events, without their names, in Amazon's."""
    for event in anthropic.REPLIES["/messages"].events(text, arguments):
        assert isinstance(event, str)
        body = event.partition("data: ")[2].encode().strip()
        yield _message("chunk", bytes=base64.b64encode(body).decode())


def _message(kind: str, **fields: Any) -> bytes:
    """One message: lengths of all and of the headers, a checksum, headers, JSON, a checksum."""
    named = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(_header(name, value) for name, value in named.items())
    payload = json.dumps(fields).encode()
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    content = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers + payload
    return content + struct.pack(">I", zlib.crc32(content))


def _header(name: str, value: str) -> bytes:
    string = 7  # the type of the value
    head = struct.pack(">B", len(name)) + name.encode()
    return head + struct.pack(">BH", string, len(value)) + value.encode()


_STREAM = "application/vnd.amazon.eventstream"
REPLIES = {
    "/converse": Reply(_converse, _events),
    "/converse-stream": Reply(_converse, _events, kind=_STREAM, always=True),
    "/invoke-with-response-stream": Reply(_converse, _chunks, kind=_STREAM, always=True),
    "/invoke": anthropic.REPLIES["/messages"],
}
