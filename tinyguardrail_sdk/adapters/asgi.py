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

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._asgi_routes import Route, Routes, refusal
from tinyguardrail_sdk.adapters._asgi_wire import Message, Receive, Send, read, replaying, send_json
from tinyguardrail_sdk.adapters._frameworks import require
from tinyguardrail_sdk.adapters._held_answer import HeldAnswer
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.holdback import Delay

__all__ = ["GuardMiddleware", "Route", "body_guard"]

App = Callable[[Message, Receive, Send], Awaitable[None]]

MAX_BODY = 1_000_000


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
        self._routes = Routes(routes)
        self._max_body = max_body
        self._delay = delay

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Judge one connection."""
        route = self._routes.of(scope)
        if route is None:
            await self.app(scope, receive, send)
            return
        if route.request:
            body = await read(receive, self._max_body)
            if body is None:  # the client has gone
                return
            refused = await refusal(self._guard, body, route.request, self._max_body)
            if refused is not None:
                await send_json(send, *refused)
                return
            receive = replaying(body, receive)
        if not route.answer:
            await self.app(scope, receive, send)
            return
        # No other ways to send a body than the one that is read.
        scope = {**scope, "extensions": {}}
        answer = HeldAnswer(self._guard, route.answer, self._delay, send)
        await answer.sent_by(self.app(scope, receive, answer))


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
        refused = await refusal(guard, await request.body(), fields, max_body)
        if refused is not None:
            raise fastapi.HTTPException(*refused)

    judge.__annotations__["request"] = fastapi.Request
    return judge
