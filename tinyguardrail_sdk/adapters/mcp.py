"""Model Context Protocol: what servers say to a client, and what a server's tools return.

pip install "tinyguardrail-sdk[mcp]"

    async with Client(server) as client:
        with await awrap(client, guard):
            await client.list_tools()  # Blocked, where a description is poisoned
            await client.call_tool("look", {"city": "Paris"})

    server = MCPServer("shop", middleware=[middleware(guard)])  # mcp 2.x

Tool results, descriptions and instructions of a server count as `tool`, resources as `document`,
prompts by their roles, and the arguments of a tool as `output`, for a model made them.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeVar

from tinyguardrail_sdk.adapters._frameworks import arefuse, refuse, require
from tinyguardrail_sdk.adapters._handle import MARK, Handle
from tinyguardrail_sdk.adapters._mcp_messages import CALL, asked, said, words
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import Blocked, GuardrailError, InputError

ClientT = TypeVar("ClientT")

_CANNOT = -32000  # of the codes that are left to servers


def wrap(client: ClientT, guard: Checker, *, tool_error: str | None = None) -> Handle[ClientT]:
    """Guard a connected `Client` or `ClientSession`, and return what undoes it.

    The instructions of a server that has introduced itself are judged at once, on this thread; in
    an event loop, `awrap` does not hold up the others.

    Args:
        client: One that is inside its `async with`; of a session, before or after `initialize`.
        guard: Who judges.
        tool_error: What stands in place of a blocked tool result; by default `Blocked` is raised.

    Raises:
        ImportError: `mcp` is not installed.
        InputError: It is neither, or not connected.
        GuardrailError: It is guarded already, in another way.
        Blocked: The server has introduced itself already, with an attack as its instructions.
    """
    session = _session_of(client)
    known = _handle_on(session, client, guard, tool_error)
    if known is None:
        refuse(guard, _introduction(session))
    return known or _put_on(session, client, guard, tool_error)


async def awrap(
    client: ClientT, guard: Checker, *, tool_error: str | None = None
) -> Handle[ClientT]:
    """Like `wrap`, with the instructions judged off the event loop."""
    session = _session_of(client)
    if _handle_on(session, client, guard, tool_error) is None:
        await arefuse(guard, _introduction(session))
    return _handle_on(session, client, guard, tool_error) or _put_on(
        session, client, guard, tool_error
    )


def _handle_on(
    session: Any, client: ClientT, guard: Checker, tool_error: str | None
) -> Handle[ClientT] | None:
    mark: tuple[Handle[ClientT], str | None] | None = getattr(session.send_request, MARK, None)
    if mark is None:
        return None
    known, answer = mark
    if known.guard is guard and known.client is client and answer == tool_error:
        return known
    raise GuardrailError("the session is guarded already; undo() that first")


def _introduction(session: Any) -> Iterator[Any]:
    return words(getattr(session, "instructions", None))


def _put_on(
    session: Any, client: ClientT, guard: Checker, tool_error: str | None
) -> Handle[ClientT]:
    send = session.send_request

    @functools.wraps(send)
    async def judged(request: Any, *args: Any, **kwargs: Any) -> Any:
        wire = _wire(request)
        await arefuse(guard, asked(wire["method"], wire.get("params") or {}))
        result = await send(request, *args, **kwargs)
        try:
            await arefuse(guard, said(wire["method"], _wire(result)))
        except Blocked:
            if tool_error is None or wire["method"] != CALL:
                raise
            return type(result).model_validate(_tool_error(tool_error))
        return result

    handle = Handle(client, guard, None)
    setattr(judged, MARK, (handle, tool_error))
    handle.put(session, "send_request", judged)
    return handle


def middleware(guard: Checker, *, tool_error: str = "The result was blocked.") -> Any:
    """Return a middleware for an `MCPServer` or a low-level `Server` of mcp 2.x.

    Blocked calls and results of tools are answered with an error that the model reads; anything
    else that was blocked is an error of the protocol.

    Args:
        guard: Who judges.
        tool_error: What the model reads.

    Raises:
        ImportError: `mcp` is not installed.
    """
    error = require("mcp.shared.exceptions", "mcp").MCPError

    async def judge(ctx: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
        try:
            await arefuse(guard, asked(ctx.method, ctx.params or {}))
            result = await call_next(ctx)
            if result is not None:  # of a notification
                await arefuse(guard, said(ctx.method, _wire(result)))
        except Blocked as stop:
            if ctx.method == CALL:
                return _tool_error(tool_error) | {"resultType": "complete"}
            raise error(_CANNOT, str(stop)) from stop
        return result

    return judge


def _session_of(client: Any) -> Any:
    require("mcp", "mcp")
    try:
        session = getattr(client, "session", client)
    except RuntimeError as error:
        raise InputError("wrap the client inside its `async with`, once it is connected") from error
    if not hasattr(session, "send_request"):
        raise InputError(f"{type(client).__name__} is neither a Client nor a ClientSession of mcp")
    return session


def _tool_error(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "isError": True}


def _wire(value: Any) -> Any:
    """Return a model of any version of the SDK as what goes over the wire."""
    if isinstance(value, Mapping):
        return value
    return value.model_dump(by_alias=True, mode="json", exclude_none=True)
