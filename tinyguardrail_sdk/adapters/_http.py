"""Where the text is in the bodies of HTTP: fields of JSON, and pieces of streamed answers."""

from __future__ import annotations

import json
import re
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Hashable,
    Iterator,
    Mapping,
    Sequence,
)
from email.message import Message
from typing import Any

from tinyguardrail_sdk.closing import aclose_sources
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import Blocked, InputError
from tinyguardrail_sdk.messages import is_trusted

MESSAGES = "messages"
WHOLE = "."
EVENT_STREAM = "text/event-stream"

# Takes what came, and whether that was all; returns whole pieces, and the rest to be kept.
Cut = Callable[[bytes, bool], tuple[list[bytes], bytes]]

_ROLE_KEYS = ("role", "type")  # LangChain names the role in the type
_UTF_8 = ("utf-8", "utf8", "us-ascii")
_LINE = re.compile(rb"(?<=\n)")
_EVENT = re.compile(rb"(?<=\n\n)|(?<=\n\r\n)|(?<=\r\r)")


def parsed(body: str | bytes | bytearray) -> Any:
    """Parse a JSON body.

    Raises:
        InputError: It is none, or an object has a key twice: which one counts is up to the reader.
    """
    try:
        return json.loads(body, object_pairs_hook=_without_twins)
    except (ValueError, RecursionError):
        raise InputError("the body must be JSON, with every key once") from None


def reason_of(error: Blocked) -> str:
    """Return what the sender of a blocked text is told."""
    # Not the risk: it would tell an attacker how near he is.
    return f"blocked: {error.verdict.label}"


def request_messages(body: Any, fields: Mapping[str, str]) -> Iterator[Any]:
    """Yield what the fields of a request hold, as `Guard.check_messages` takes it."""
    for path, source in fields.items():
        for _, value in values_at(body, path):
            yield _sent(value) if source == MESSAGES else (source, value_text(value))


def values_at(value: Any, path: str) -> Iterator[tuple[Hashable, Any]]:
    """Yield the values under a dotted path, each with its place; lists are gone through.

    Where the path goes on but the value has no parts, the value itself is what is there.
    """
    yield from _walk(value, [] if path == WHOLE else path.split("."), ())


def answer_deltas(piece: bytes, paths: Sequence[str], is_event: bool) -> Iterator[tuple[Any, str]]:
    """Yield the texts in a piece of an answer, each with the text that it goes on with."""
    text = data_of(piece) if is_event else piece.decode(errors="replace")
    try:
        value = None if WHOLE in paths else json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if value is None:
        yield WHOLE, text
        return
    for path in paths:
        for place, found in values_at(value, path):
            yield (path, place), value_text(found)


def content_kind(header: str) -> str | None:
    """Return the media type that a header names, in small letters; None where it is no UTF-8."""
    message = Message()
    message["content-type"] = header
    named = [key for key, _ in message.get_params([]) if key.lower() == "charset"]
    # Of several, which one counts is up to the reader.
    if len(named) > 1 or (named and message.get_content_charset() not in _UTF_8):
        return None
    return header.partition(";")[0].strip().lower()


def data_of(event: bytes) -> str:
    """Return the data of a server-sent event, empty where it has none."""
    split = re.split("\r\n|\r|\n", event.decode(errors="replace"))
    data = [line[5:].removeprefix(" ") for line in split if line.startswith("data:")]
    return "\n".join(data)


def whole(body: bytes, is_last: bool) -> tuple[list[bytes], bytes]:
    """Cut nothing: a JSON body."""
    return ([body], b"") if is_last else ([], body)


def lines(body: bytes, is_last: bool) -> tuple[list[bytes], bytes]:
    """Cut after each line: JSON lines."""
    return _cut(_LINE, body, is_last)


def events(body: bytes, is_last: bool) -> tuple[list[bytes], bytes]:
    """Cut after each empty line: server-sent events."""
    return _cut(_EVENT, body, is_last)


async def whole_events(items: AsyncIterable[Any]) -> AsyncIterator[Any]:
    """Yield the items of a stream; where they are bytes or text, whole server-sent events."""
    rest = b""
    try:
        async for item in items:
            if not isinstance(item, str | bytes):
                yield item
                continue
            pieces, rest = events(rest + (item.encode() if isinstance(item, str) else item), False)
            for piece in pieces:
                yield piece
        if rest:
            yield rest
    finally:
        await aclose_sources(items)


def characters(body: bytes, is_last: bool) -> tuple[list[bytes], bytes]:
    """Cut before a UTF-8 character that has not come whole: plain text."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and not is_last:
            return [body[: error.start]], body[error.start :]
    return [body], b""


def _cut(after: re.Pattern[bytes], body: bytes, is_last: bool) -> tuple[list[bytes], bytes]:
    *pieces, rest = after.split(body)
    return ([*pieces, rest], b"") if is_last else (pieces, rest)


def _walk(value: Any, path: list[str], place: tuple[Hashable, ...]) -> Iterator[tuple[Any, Any]]:
    if value is None:
        return
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _walk(each, path, (*place, index))
    elif path and isinstance(value, Mapping):
        yield from _walk(value.get(path[0]), path[1:], (*place, path[0]))
    else:
        yield place, value


def _sent(message: Any) -> Any:
    """A message as its sender's: whoever writes a body can write any role into it."""
    roles = [message.get(key) for key in _ROLE_KEYS] if isinstance(message, Mapping) else []
    return {**message, "role": "user"} if any(map(is_trusted, roles)) else message


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands twice")
    return made
