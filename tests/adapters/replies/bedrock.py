"""What Bedrock says on the wire: streams are of Amazon's binary event messages."""

import base64
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from tests.adapters.replies import anthropic
from tests.adapters.wire import Reply, Said, pieces

_USAGE = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
_METRICS = {"latencyMs": 1}


def _converse(said: Said) -> Any:
    content: list[Any] = [{"text": said.text}]
    if said.reasoning is not None:
        reasoning = {"text": said.reasoning, "signature": "s"}
        content.insert(0, {"reasoningContent": {"reasoningText": reasoning}})
    if said.arguments is not None:
        call = {"toolUseId": "t", "name": "look", "input": json.loads(said.arguments)}
        content.append({"toolUse": call})
    message = {"role": "assistant", "content": content}
    return {
        "output": {"message": message},
        "stopReason": "end_turn",
        "usage": _USAGE,
        "metrics": _METRICS,
    }


def _events(said: Said) -> Iterator[bytes]:
    yield _message("messageStart", role="assistant")
    for index, block in enumerate(_converse(said)["output"]["message"]["content"]):
        if "toolUse" in block:
            start = {"toolUse": {"toolUseId": "t", "name": "look"}}
            yield _message("contentBlockStart", contentBlockIndex=index, start=start)
        for delta in _deltas(block):
            yield _message("contentBlockDelta", contentBlockIndex=index, delta=delta)
        yield _message("contentBlockStop", contentBlockIndex=index)
    yield _message("messageStop", stopReason="end_turn")
    yield _message("metadata", usage=_USAGE, metrics=_METRICS)


def _deltas(block: Any) -> Iterator[Any]:
    if "toolUse" in block:
        for piece in pieces(json.dumps(block["toolUse"]["input"])):
            yield {"toolUse": {"input": piece}}
    elif "reasoningContent" in block:
        for piece in pieces(block["reasoningContent"]["reasoningText"]["text"]):
            yield {"reasoningContent": {"text": piece}}
        yield {"reasoningContent": {"signature": "s"}}
    else:
        for piece in pieces(block["text"]):
            yield {"text": piece}


def _chunks(said: Said) -> Iterator[bytes]:
    """A stream of one of Anthropic's models: its events, without their names, in Amazon's."""
    for event in anthropic.REPLIES["/messages"].events(said):
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
