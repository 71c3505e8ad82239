"""An answer of an ASGI application that is sent on as its text is cleared."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Sequence

from tinyguardrail_sdk.adapters._asgi_wire import BODY, Message, Send, send_json
from tinyguardrail_sdk.adapters._http import (
    EVENT_STREAM,
    Cut,
    answer_deltas,
    characters,
    content_kind,
    events,
    lines,
    reason_of,
    whole,
)
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.chunks import HeldChunks
from tinyguardrail_sdk.errors import Blocked, InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.streaming import StreamGuard

_LINES = ("application/x-ndjson", "application/jsonl", "application/json-lines")


class HeldAnswer:
    """Stands for `send`; after an error nothing more goes on.

    Attributes:
        stop: Why the answer was stopped, or None.
        started: Whether something was sent.
        is_events: Whether it is a stream of server-sent events.
    """

    def __init__(
        self,
        guard: Checker,
        fields: Sequence[str],
        delay: Delay | None,
        send: Send,
    ) -> None:
        self.stop: Exception | None = None
        self.started = False
        self.is_events = False
        self._fields = fields
        self._send = send
        self._held = HeldChunks[bytes](StreamGuard(guard, delay=delay))
        self._start: Message = {}
        self._cut: Cut | None = None
        self._rest = b""

    async def __call__(self, message: Message) -> None:
        """Take what the application sends.

        Raises:
            Blocked: What was to be sent; the application is to end.
            InputError: The answer is of a type that cannot be read.
            CheckFailed: As `Guard.check`.
        """
        if self.stop is not None:  # an error page of the application, about what stopped it
            return
        try:
            await self._pass(message)
        except Exception as error:
            self.stop = error
            raise

    async def sent_by(self, application: Awaitable[None]) -> None:
        """Let the application answer; where that was stopped, tell the client why.

        Before anything was sent that is a 403; in a stream of events, an event `error`.

        Raises:
            Blocked: Of another stream, which breaks off.
            CheckFailed: As `Guard.check`; so `InputError`, as when called.
        """
        try:
            await application
        except Exception:
            if self.stop is None:
                raise
        if self.stop is None:
            return
        if not isinstance(self.stop, Blocked) or (self.started and not self.is_events):
            raise self.stop
        reason = reason_of(self.stop)
        if self.started:
            data = json.dumps({"detail": reason})
            await self._send({"type": BODY, "body": f"event: error\ndata: {data}\n\n".encode()})
        else:
            await send_json(self._send, 403, reason)

    async def _pass(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            self._cut = self._cut_for(message)
        elif message["type"] == BODY:
            await self._take(message.get("body", b""), message.get("more_body", False))
        else:
            raise InputError(f"{message['type']} cannot be read; send a plain body")

    async def _take(self, body: bytes, more: bool) -> None:
        if body and self._cut is None:
            raise InputError(
                "the answer of a guarded route must be JSON or text, as UTF-8 and uncompressed; "
                "put what compresses it outside the guard"
            )
        pieces, self._rest = (self._cut or whole)(self._rest + body, not more)
        ready = [each for piece in pieces for each in await self._feed(piece)]
        ready += [] if more else await self._held.afinish()
        if ready or not more:
            await self._go_on(b"".join(ready), more)

    async def _feed(self, piece: bytes) -> list[bytes]:
        deltas = answer_deltas(piece, self._fields, self.is_events)
        return await self._held.afeed(piece, ((key, text) for key, text in deltas if text))

    async def _go_on(self, body: bytes, more: bool) -> None:
        if not self.started:
            self.started = True
            await self._send(self._start)
        await self._send({"type": BODY, "body": body, "more_body": more})

    def _cut_for(self, start: Message) -> Cut | None:
        """How the answer is cut into pieces; None where it cannot be read."""
        headers = {bytes(key).lower(): bytes(value) for key, value in start.get("headers", ())}
        kind = content_kind(headers.get(b"content-type", b"").decode("latin-1"))
        if kind is None or headers.get(b"content-encoding", b"identity") != b"identity":
            return None
        self.is_events = kind == EVENT_STREAM
        if self.is_events:
            return events
        if kind in _LINES:
            return lines
        if kind == "application/json" or kind.endswith("+json"):
            return whole
        return characters if kind.startswith("text/") else None
