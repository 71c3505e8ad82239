"""What ASGI says of requests and answers: bodies in pieces, refusals, and paths of routes."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tinyguardrail_sdk.errors import InputError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY = "http.response.body"


async def read(receive: Receive, max_body: int) -> bytes | None:
    """Return the whole body, or as much as shows that it is too long; None without a client."""
    body = b""
    while len(body) <= max_body:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body


def replaying(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body again, and then what the server has to say."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


async def send_json(send: Send, status: int, detail: str) -> None:
    """Send an answer with a reason."""
    body = json.dumps({"detail": detail}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": BODY, "body": body})


def pattern_of(path: str) -> re.Pattern[str]:
    """Return what matches the paths of a route.

    Raises:
        InputError: It begins with no slash, or has braces that are no placeholder.
    """
    # Every second part is a placeholder; any converter is taken for text, which allows the most.
    parts = re.split(r"\{\w+(:\w+)?\}", path)
    if not path.startswith("/") or any(set(part) & set("{}") for part in parts[::2]):
        raise InputError(f"{path!r} is no path of a route, such as '/chats/{{id}}/messages'")
    found = [
        re.escape(part or "") if index % 2 == 0 else ".*" if part == ":path" else "[^/]+"
        for index, part in enumerate(parts)
    ]
    # At least what routers match: Starlette's `$` also stands before a line break at the end.
    return re.compile("".join([*found, "\n?"]), re.DOTALL)
