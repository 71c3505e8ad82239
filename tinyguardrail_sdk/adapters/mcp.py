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

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tinyguardrail_sdk.adapters._frameworks import arefuse, refuse, require
from tinyguardrail_sdk.adapters._handle import Handle
from tinyguardrail_sdk.adapters._mcp_messages import asked, said
from tinyguardrail_sdk.adapters._mcp_session import (
    guard_session,
    introduction,
    session_handle,
    session_of,
)
from tinyguardrail_sdk.adapters._mcp_wire import CALL, on_the_wire, told_instead
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import Blocked

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
    session = session_of(client)
    if session_handle(session, client, guard, tool_error) is None:
        refuse(guard, introduction(session))
    return guard_session(session, client, guard, tool_error)


async def awrap(
    client: ClientT, guard: Checker, *, tool_error: str | None = None
) -> Handle[ClientT]:
    """Like `wrap`, with the instructions judged off the event loop."""
    session = session_of(client)
    if session_handle(session, client, guard, tool_error) is None:
        await arefuse(guard, introduction(session))
    return guard_session(session, client, guard, tool_error)


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
                await arefuse(guard, said(ctx.method, on_the_wire(result)))
        except Blocked as stop:
            if ctx.method == CALL:
                return told_instead(tool_error) | {"resultType": "complete"}
            raise error(_CANNOT, str(stop)) from stop
        return result

    return judge
