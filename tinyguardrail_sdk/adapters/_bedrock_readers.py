"""Where the text is in what Bedrock takes and gives: conversations, and bodies of single models.

The bodies are those of Anthropic, Amazon (Nova, Titan), Meta, Mistral and OpenAI, whole and as
chunks of a stream. One in another format is an error: what is not understood is not checked.
"""

from __future__ import annotations

import io
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._anthropic_readers import MessagesReader
from tinyguardrail_sdk.adapters._http import parsed
from tinyguardrail_sdk.adapters._openai_readers import ChatReader
from tinyguardrail_sdk.adapters._streams import as_answer, listed
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import InputError

Deltas = Iterator[tuple[Hashable, str]]

# What a request asked for of the model's own answer.
_FURTHER = "additionalModelResponseFields"
# Of a delta: the key of its text. None: the text itself.
_DELTAS = {"text": None, "toolUse": "input", "reasoningContent": "text", "toolResult": None}
# Pictures, and quotes of documents that were read before.
_NO_DELTAS = {"image", "citation"}
# Keys of a text in a body: Meta; older Anthropic.
_TEXTS = ("generation", "completion")
# Lists of texts in a body, and the key in each: Amazon Titan; Mistral.
_LISTS = (("results", "outputText"), ("outputs", "text"))
# Events of a stream: those of Amazon Nova are those of converse_stream.
_NOVA = {
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
}
_ANTHROPIC = {
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "ping",
}
# What reading a body raises that is not as it was taken to be.
_OTHER_FORM = (AttributeError, KeyError, TypeError)
_COUNTS = {"metadata", "amazon-bedrock-invocationMetrics"}


class Converse:
    """Reads conversations."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        """Read the messages, what fills in a stored prompt, and documents of the model's own."""
        yield from listed(request.get("messages"))
        if request.get("promptVariables"):
            yield "user", value_text(request["promptVariables"])
        further = request.get("additionalModelRequestFields") or {}
        if further.get("documents"):  # as Cohere takes them
            yield "document", value_text(further["documents"])

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        """Read the message, and further fields that were asked for."""
        yield as_answer(response["output"]["message"])
        if response.get(_FURTHER):
            yield value_text(response[_FURTHER])

    def chunk(self, event: Mapping[str, Any]) -> Deltas:
        """Read an event of a stream."""
        block = event.get("contentBlockDelta") or {}
        for kind, value in (block.get("delta") or {}).items():
            if kind in _NO_DELTAS:
                continue
            if kind not in _DELTAS:
                raise InputError(f"unknown delta; known are {', '.join(_DELTAS)}. Use converse")
            inner = _DELTAS[kind]
            text = value if inner is None else value.get(inner, "")
            yield (block.get("contentBlockIndex"), kind), value_text(text)
        further = (event.get("messageStop") or {}).get(_FURTHER)
        if further:
            yield _FURTHER, value_text(further)


class Invoke:
    """Reads the bodies of single models."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        """Read the messages or the prompt in a body."""
        body = _fields(request.get("body"))
        prompts = [body[key] for key in ("prompt", "inputText") if body.get(key)]
        if not prompts and not body.get("messages"):
            raise InputError("the body has no messages and no prompt; use converse")
        yield from listed(body.get("messages"))
        yield from prompts
        if body.get("documents"):
            yield "document", value_text(body["documents"])

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        """Read a body, and put it back as it was."""
        stream = response["body"]
        read = stream.read()
        # It can be read once; from here on it reads the same again.
        stream.__init__(io.BytesIO(read), len(read))
        return said_in(read)

    def chunk(self, event: Mapping[str, Any]) -> Iterable[tuple[Hashable, str]]:
        """Read a chunk of a stream, which has a body in itself."""
        fields = _fields((event.get("chunk") or {}).get("bytes"))
        try:
            return list(_deltas(fields))
        except _OTHER_FORM:
            raise _unread() from None


class AsyncInvoke(Invoke):
    """Reads the bodies that aiobotocore gives, which are awaited."""

    def __init__(self) -> None:
        self._read = b""

    async def receive(self, response: Mapping[str, Any]) -> None:
        """Read a body ahead, and put it back as it was."""
        stream = response["body"]
        if not hasattr(stream, "read"):  # it is a stream of events
            return
        # A proxy of the response in older versions.
        raw = stream.raw_stream if hasattr(stream, "raw_stream") else stream.__wrapped__
        if hasattr(raw, "aiter_raw"):
            raise InputError("a body that came through httpx cannot be put back; use aiohttp")
        self._read = await stream.read()
        stream.__init__(_ReadAlready(raw, self._read), len(self._read))

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        """Read the body that came."""
        return said_in(self._read)


class _ReadAlready:
    """Stands for a response of aiohttp whose content is given once more."""

    def __init__(self, raw: Any, content: bytes) -> None:
        self._raw = raw
        self._left = io.BytesIO(content)
        self.content = self

    async def read(self, size: int = -1) -> bytes:
        return self._left.read(size)

    def at_eof(self) -> bool:
        return self._left.tell() == len(self._left.getvalue())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


def said_in(body: bytes) -> list[Any]:
    """Return what a model said in a whole body.

    Raises:
        InputError: It is in a format that is not known.
    """
    fields = _fields(body)
    try:
        said = list(_said(fields))
    except _OTHER_FORM:
        said = []
    if not said:
        raise InputError("the answer of this model cannot be read; use converse")
    return said


def _fields(body: Any) -> dict[str, Any]:
    try:
        fields = parsed(body) if isinstance(body, str | bytes | bytearray) else None
    except InputError as error:
        raise InputError(f"{error}; or use converse") from None
    if not isinstance(fields, dict):
        raise InputError("the body must be a JSON object, as text or bytes; or use converse")
    return fields


def _said(body: Mapping[str, Any]) -> Iterator[Any]:
    """What a model said, by vendor."""
    if "content" in body:  # Anthropic
        yield {"role": "assistant", "content": body["content"]}
    if isinstance(body.get("output"), Mapping):  # Amazon Nova
        yield as_answer(body["output"]["message"])
    if "choices" in body:  # OpenAI
        yield from ChatReader().response(body)
    yield from (body[key] for key in _TEXTS if key in body)
    for key, text in _LISTS:
        yield from (each[text] for each in body.get(key) or ())


def _deltas(body: Mapping[str, Any]) -> Deltas:
    """What a model said in a chunk, by vendor."""
    if body.get("type") in _ANTHROPIC:
        return MessagesReader().chunk(body)
    if _NOVA & body.keys():
        return Converse().chunk(body)
    if "choices" in body:
        return ChatReader().chunk(body)
    keys = [key for key in (*_TEXTS, "outputText", "outputs") if key in body]
    if not keys and not body.keys() <= _COUNTS:
        raise _unread()
    return _texts(body, keys)


def _unread() -> InputError:
    return InputError("a stream of this model cannot be read; use converse_stream")


def _texts(body: Mapping[str, Any], keys: list[str]) -> Deltas:
    for key in keys:
        for index, each in enumerate(listed(body[key])):
            yield (key, index), each["text"] if isinstance(each, Mapping) else each
