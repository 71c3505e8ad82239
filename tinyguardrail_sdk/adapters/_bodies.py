"""Responses of OpenAI and Anthropic: the body of HTTP is judged before any of it can be read.

What is judged takes the place of the response's own stream of bytes, below everything that reads
it: `parse`, `json`, `read`, `iter_lines` and the rest. Server-sent events are held back like the
chunks of a stream; any other body is read whole, and must be JSON.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import AsyncIterator, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from tinyguardrail_sdk.adapters._frameworks import arefuse, refuse
from tinyguardrail_sdk.adapters._http import (
    EVENT_STREAM,
    content_kind,
    data_of,
    events,
    parsed,
    whole_events,
)
from tinyguardrail_sdk.calls import Reader, owned
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.chunks import aheld_chunks, held_chunks
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.streaming import StreamGuard

AnyReader: TypeAlias = Reader[Any, Any, Any]

_DONE = "[DONE]"
# A body without any of these is no answer, and an event no part of one.
_ANSWERS = {"choices", "output", "content"}
_PARTS = {"choices", "type", "error"}
_LINE_END = re.compile("\r\n|\r|\n")
# What a line of an event may begin with; a comment has no name before the colon.
_FIELD = re.compile(r"(data|event|id|retry|)(:|$)")
# Lines that keep a connection alive or say when to come back: nobody reads words in them.
_ALIVE = re.compile(r":|event: ?(ping|keepalive)$|retry: ?\d*$")


def raw_responses(*parents: str) -> tuple[str, ...]:
    """Return where the clients of OpenAI and Anthropic have raw responses, below some paths."""
    return tuple(
        f"{parent}with_{kind}_response" for parent in parents for kind in ("raw", "streaming")
    )


def response_in(answer: Any) -> Any:
    """Return the HTTP response in a raw answer; None where the answer is none."""
    response = getattr(answer, "http_response", None)
    # A vendor may answer with a field of that name as well, but not with an object.
    return response if hasattr(response, "iter_raw") else None


def response_under(answer: Any) -> Any:
    """Return the HTTP response that a stream is made of; None where it has no events to come."""
    stream = getattr(answer, "_raw_stream", answer)  # a helper has the stream inside
    response: Any = getattr(stream, "response", None) if hasattr(stream, "_iterator") else None
    has_events = hasattr(response, "iter_raw") and _kind_of(response) == EVENT_STREAM
    return response if has_events and not response.is_closed else None


def body_messages(reader: AnyReader, response: Any) -> list[Any]:
    """Return what is said in a body that was read already.

    Raises:
        InputError: It cannot be read.
    """
    if _kind_of(response) != EVENT_STREAM:
        return _said(reader, response)
    texts: dict[Hashable, str] = {}
    for piece in events(response.content, True)[0]:
        for key, delta in _deltas(reader, piece):
            texts[key] = texts.get(key, "") + delta
    return owned(texts.values(), Source.OUTPUT)


def hold_body(guard: Checker, delay: Delay | None, reader: AnyReader, response: Any) -> None:
    """Put a judged body in the place of one that was not read yet; what it raises, reading does."""
    stream, package = response.stream, _package_of(response)
    wire = package.Response(
        response.status_code, headers=response.headers, stream=stream, request=response.request
    )
    response.headers.pop("content-encoding", None)  # what is judged is decoded
    is_async = hasattr(stream, "__aiter__")
    if _kind_of(wire) == EVENT_STREAM:
        hold: Any = _ahold if is_async else _hold
        held = hold(StreamGuard(guard, delay=delay), reader, wire)
    else:
        whole: Any = _awhole if is_async else _whole
        held = whole(guard, reader, wire)
    body, base = (_AsyncBody, "AsyncByteStream") if is_async else (_Body, "SyncByteStream")
    kind: Any = type(body.__name__, (body, getattr(package, base)), {})
    response.stream = kind(stream, wire, held)


class _Held:
    """A judged body; what a client asks of the stream besides its bytes is the wire's."""

    def __init__(self, stream: Any, wire: Any, held: Any) -> None:
        self._stream = stream
        self._wire = wire
        self._held = held

    @property
    def elapsed(self) -> Any:
        return getattr(self._stream, "elapsed", None)

    @property
    def stream_observer(self) -> Any:
        return getattr(self._stream, "stream_observer", None)


class _Body(_Held):
    def __iter__(self) -> Iterator[bytes]:
        body: Iterator[bytes] = self._held
        return body

    def close(self) -> None:
        self._held.close()
        self._wire.close()


class _AsyncBody(_Held):
    def __aiter__(self) -> AsyncIterator[bytes]:
        body: AsyncIterator[bytes] = self._held
        return body

    async def aclose(self) -> None:
        await self._held.aclose()
        await self._wire.aclose()


def _hold(stream: StreamGuard, reader: AnyReader, wire: Any) -> Iterator[bytes]:
    return held_chunks(stream, _pieces(wire), lambda piece: _deltas(reader, piece))


def _ahold(stream: StreamGuard, reader: AnyReader, wire: Any) -> AsyncIterator[bytes]:
    return aheld_chunks(
        stream, whole_events(wire.aiter_bytes()), lambda piece: _deltas(reader, piece)
    )


def _whole(guard: Checker, reader: AnyReader, wire: Any) -> Iterator[bytes]:
    body = wire.read()
    refuse(guard, _said(reader, wire))
    yield body


async def _awhole(guard: Checker, reader: AnyReader, wire: Any) -> AsyncIterator[bytes]:
    body = await wire.aread()
    await arefuse(guard, _said(reader, wire))
    yield body


def _pieces(wire: Any) -> Iterator[bytes]:
    rest = b""
    for chunk in wire.iter_bytes():
        pieces, rest = events(rest + chunk, False)
        yield from pieces
    yield rest


def _deltas(reader: AnyReader, event: bytes) -> Iterable[tuple[Hashable, str]]:
    """Read one server-sent event, with what its other fields say; comments go on unread."""
    lines = _LINE_END.split(event.decode(errors="replace"))
    if not all(_FIELD.match(line) for line in lines):
        raise InputError("the answer is no stream of events; ask for it without a stream")
    data = data_of(event)
    is_empty = not data or data.strip() == _DONE
    part = {} if is_empty else _mapping(data)
    if not is_empty and _PARTS.isdisjoint(part):
        raise InputError("the stream has an event of an unknown form; ask for it without a stream")
    for line in lines:
        name, _, value = line.partition(":")
        is_said = name != "data" and not _ALIVE.match(line)
        if is_said and value.strip() not in ("", part.get("type")):
            yield name, f"{value.strip()}\n"
    if not is_empty:
        yield from reader.chunk(part)


def _said(reader: AnyReader, response: Any) -> list[Any]:
    """Read a whole body."""
    if _kind_of(response) is None:
        raise InputError("the body must be UTF-8; ask without a raw or streaming response")
    try:
        body = _mapping(response.content)
        said = owned(reader.response(body), Source.OUTPUT)
    except (AttributeError, KeyError, TypeError):
        raise _other_form() from None
    if _ANSWERS.isdisjoint(body):
        raise _other_form()
    return said


def _other_form() -> InputError:
    return InputError(
        "the body has another form than answers; ask without a raw or streaming response"
    )


def _mapping(body: str | bytes) -> Mapping[str, Any]:
    try:
        value = parsed(body)
    except InputError as error:
        raise InputError(f"{error}; ask without a raw or streaming response") from None
    if not isinstance(value, Mapping):
        raise InputError("the body must be a JSON object; ask without a raw or streaming response")
    return value


def _kind_of(response: Any) -> str | None:
    return content_kind(response.headers.get("content-type", ""))


def _package_of(response: Any) -> Any:
    """The module `httpx` or `httpx2`, also of a class derived from theirs."""
    bases = reversed(type(response).__mro__)
    base = next(kind for kind in bases if kind.__name__ == "Response")
    return importlib.import_module(base.__module__.partition(".")[0])
