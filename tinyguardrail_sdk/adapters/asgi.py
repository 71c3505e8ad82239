"""ASGI applications (FastAPI, Starlette and others): bodies judged at the door.

pip install "tinyguardrail-sdk[asgi]"

    app.add_middleware(
        GuardMiddleware,
        guard=guard,
        routes={"/chat": Route({"message": "user", "history": "messages"}, answer=["reply"])},
    )

The request of a route is read whole, judged and handed on unchanged; a JSON answer is judged before
it is sent, and a streamed one (server-sent events, JSON lines, text) goes on as it is cleared. All
other routes, websockets and lifespan are passed on untouched, and so are query, path and headers.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tinyguardrail_sdk.adapters._asgi_wire import (
    BODY,
    Message,
    Receive,
    Send,
    pattern_of,
    read,
    replaying,
    send_json,
)
from tinyguardrail_sdk.adapters._frameworks import arefuse, require
from tinyguardrail_sdk.adapters._held_answer import HeldAnswer
from tinyguardrail_sdk.adapters._http import MESSAGES, parsed, reason_of, request_messages
from tinyguardrail_sdk.checker import Checker, as_source
from tinyguardrail_sdk.errors import Blocked, InputError
from tinyguardrail_sdk.holdback import Delay

App = Callable[[Message, Receive, Send], Awaitable[None]]

MAX_BODY = 1_000_000


@dataclass(frozen=True)
class Route:
    """What is judged of one route.

    Attributes:
        request: Fields of the JSON body, each with the source of its text, or with `"messages"`
            where it holds chat messages; those of a system or developer count as a user's, for
            whoever sends the body wrote them. `"page.text"` is the text in `page`, or in each item
            of it where it is a list; `"."` is the body. A field that is not there has no text.
        answer: Fields of the JSON answer, or of each event of a stream, likewise; `"."` is the
            whole text. None of them: the answer is not judged.

    Raises:
        InputError: There is no such source, or a list was forgotten.
    """

    request: Mapping[str, str] = field(default_factory=dict)
    answer: Sequence[str] = ()

    def __post_init__(self) -> None:
        if isinstance(self.request, str) or isinstance(self.answer, str):
            raise InputError("request is a mapping of fields to sources, answer a list of fields")
        for source in self.request.values():
            if source != MESSAGES:
                as_source(source)


class GuardMiddleware:
    """Judges the routes named.

    A blocked request is answered with 403, one that cannot be read with 400, one that is too long
    with 413, each as JSON with `detail`, and the application is not called. A blocked answer is 403
    as well where nothing of it was sent; else server-sent events end with an event `error`, and
    other streams break off with `Blocked`. A check that breaks raises, so the answer is a 500.

    Args:
        app: The application.
        guard: Who judges.
        routes: By path, such as `/chat` or `/chats/{id}/messages`; `{rest:path}` takes slashes too.
        max_body: Bytes of a request that are read.
        delay: How much of a streamed answer is held back.

    Raises:
        InputError: A path does not begin with a slash, or has braces that are no placeholder.
    """

    def __init__(
        self,
        app: App,
        guard: Checker,
        routes: Mapping[str, Route],
        *,
        max_body: int = MAX_BODY,
        delay: Delay | None = None,
    ) -> None:
        self.app = app
        self._guard = guard
        self._routes = [(pattern_of(path), route) for path, route in routes.items()]
        self._max_body = max_body
        self._delay = delay

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Judge one connection."""
        route = self._route_of(scope)
        if route is None:
            await self.app(scope, receive, send)
            return
        if route.request:
            body = await read(receive, self._max_body)
            if body is None:  # the client has gone
                return
            refusal = await _refusal(self._guard, body, route.request, self._max_body)
            if refusal is not None:
                await send_json(send, *refusal)
                return
            receive = replaying(body, receive)
        if route.answer:
            await self._answer(route, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _answer(self, route: Route, scope: Message, receive: Receive, send: Send) -> None:
        answer = HeldAnswer(self._guard, route.answer, self._delay, send)
        # No other ways to send a body than the one that is read.
        scope = {**scope, "extensions": {}}
        try:
            await self.app(scope, receive, answer)
        except Exception:
            if answer.stop is None:
                raise
        if answer.stop is None:
            return
        breaks_off = answer.started and not answer.is_events
        if breaks_off or not isinstance(answer.stop, Blocked):
            raise answer.stop
        reason = reason_of(answer.stop)
        if answer.started:
            data = json.dumps({"detail": reason})
            await send({"type": BODY, "body": f"event: error\ndata: {data}\n\n".encode()})
        else:
            await send_json(send, 403, reason)

    def _route_of(self, scope: Message) -> Route | None:
        if scope["type"] != "http":
            return None
        # Servers differ in whether the path has the root before it.
        path = scope["path"]
        paths = {path, path.removeprefix(scope.get("root_path", ""))}
        matching = (r for pattern, r in self._routes if any(map(pattern.fullmatch, paths)))
        return next(matching, None)


def body_guard(
    guard: Checker, request: Mapping[str, str], *, max_body: int = MAX_BODY
) -> Callable[[Any], Awaitable[None]]:
    """Return a dependency of FastAPI that judges the body of one route.

        @app.post("/chat", dependencies=[Depends(body_guard(guard, {"message": "user"}))])

    Refusals are `HTTPException`s with the statuses of `GuardMiddleware`.

    Args:
        guard: Who judges.
        request: As in `Route`.
        max_body: Bytes of a body that is judged; FastAPI has read a longer one all the same.

    Raises:
        ImportError: `fastapi` is not installed.
        InputError: As `Route`.
    """
    fastapi = require("fastapi", "asgi")
    fields = Route(request).request

    async def judge(request: Any) -> None:
        refusal = await _refusal(guard, await request.body(), fields, max_body)
        if refusal is not None:
            raise fastapi.HTTPException(*refusal)

    judge.__annotations__["request"] = fastapi.Request
    return judge


async def _refusal(
    guard: Checker, body: bytes, fields: Mapping[str, str], max_body: int
) -> tuple[int, str] | None:
    """Judge a body; return the status and the reason of a refusal, or None where it may go on."""
    if len(body) > max_body:
        return 413, f"the body has more than {max_body} bytes"
    try:
        if body:
            await arefuse(guard, request_messages(parsed(body), fields))
    except Blocked as error:
        return 403, reason_of(error)
    except InputError as error:
        return 400, str(error)
    return None
