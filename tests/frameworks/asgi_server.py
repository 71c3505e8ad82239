"""A FastAPI application that counts what reaches it, and how it is spoken to by hand."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.frameworks.texts import ANSWER, ATTACK, PAGE
from tinyguardrail_sdk.adapters.asgi import Route

WHY = "pip install 'tinyguardrail-sdk[asgi]' httpx"
fastapi: Any = pytest.importorskip("fastapi", reason=WHY)
responses: Any = pytest.importorskip("starlette.responses", reason=WHY)
pytest.importorskip("httpx", reason=WHY)
testclient: Any = pytest.importorskip("fastapi.testclient", reason=WHY)

FIELDS = {"message": "user", "results": "tool", "pages.text": "document", "history": "messages"}
ROUTES = {
    "/chat": Route(FIELDS, answer=["reply", "calls.arguments"]),
    "/stream/{kind}": Route(FIELDS, answer=["delta"]),
    "/text": Route(FIELDS, answer=["."]),
}
ATTACKS: list[Any] = [
    {"message": ATTACK},
    {"message": {"text": ATTACK}},
    {"results": ["fine", ATTACK]},
    {"results": {"page": ATTACK}},
    {"pages": [{"text": "fine"}, {"text": PAGE}]},
    {"pages": PAGE},
    {"history": [{"role": "tool", "content": ATTACK}]},
    {"history": [{"role": "user", "content": "zebra-"}, {"role": "user", "content": ATTACK}]},
    {"history": [{"role": "System", "content": ATTACK}]},
    {"history": [{"type": "system", "content": ATTACK}]},
]


class Server:
    """A FastAPI application that counts what reaches its routes.

    Attributes:
        said: What it answers.
        seen: The bodies that arrived.
        sent: The bytes of streams that it made.
    """

    def __init__(self) -> None:
        self.said: Any = {"reply": ANSWER, "n": 1}
        self.kind = "application/json"
        self.headers: dict[str, str] = {}
        self.seen: list[Any] = []
        self.lifespan: list[str] = []
        self.app = fastapi.FastAPI(lifespan=self._lifespan)
        self.app.post("/chat")(self._chat())
        self.app.post("/free")(self._chat())
        self.app.post("/text")(self._text())
        self.app.post("/stream/{kind}")(self._stream())
        self.app.websocket("/chat")(self._socket())

    @asynccontextmanager
    async def _lifespan(self, _: Any) -> AsyncIterator[None]:
        self.lifespan.append("up")
        yield
        self.lifespan.append("down")

    def _chat(self) -> Any:
        def chat(body: dict) -> Any:  # type: ignore[type-arg]
            self.seen.append(body)
            return self.said

        return chat

    def _text(self) -> Any:
        async def text() -> Any:
            return responses.Response(self.said, media_type=self.kind, headers=self.headers)

        return text

    def _stream(self) -> Any:
        async def stream(kind: str) -> Any:
            async def pieces() -> AsyncIterator[bytes]:
                for at in range(0, len(self.said), 7):
                    yield line(kind, self.said[at : at + 7])

            return responses.StreamingResponse(pieces(), media_type=KINDS[kind])

        return stream

    def _socket(self) -> Any:
        async def socket(websocket: fastapi.WebSocket) -> None:
            await websocket.accept()
            await websocket.send_text(await websocket.receive_text())
            await websocket.close()

        return socket


KINDS = {
    "events": "text/event-stream",
    "lines": "application/x-ndjson",
    "text": "text/plain; charset=utf-8",
}


def line(kind: str, text: str) -> bytes:
    data = json.dumps({"delta": text})
    made = {"events": f": ping\r\nevent: d\r\ndata: {data}\r\n\r\n", "lines": f"{data}\n"}
    return made.get(kind, text).encode()


async def spoken(app: Any, path: str, body: bytes = b"{}", **scope: Any) -> list[Any]:
    """Send one request by hand; returns the messages and, at the end, the name of an error."""
    sent: list[Any] = []
    incoming = iter(
        [
            {"type": "http.request", "body": body[i : i + 9], "more_body": True}
            for i in range(0, len(body), 9)
        ]
        + [{"type": "http.request"}]
    )

    async def receive() -> Any:
        message = next(incoming, None)
        if message is None:
            await asyncio.Event().wait()  # for a disconnect that does not come
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    made: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [],
        "query_string": b"",
    }
    made["asgi"] = {"version": "3.0", "spec_version": "2.4"}
    try:
        await app(made | scope, receive, send)
    except Exception as error:
        sent.append(type(error).__name__)
    return sent
