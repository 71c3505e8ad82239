"""A session of the Model Context Protocol that judges what it sends and receives."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, TypeVar

from tinyguardrail_sdk.adapters._frameworks import arefuse, require
from tinyguardrail_sdk.adapters._handle import MARK, Handle
from tinyguardrail_sdk.adapters._mcp_messages import asked, said, words
from tinyguardrail_sdk.adapters._mcp_wire import CALL, on_the_wire, told_instead
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import Blocked, GuardrailError, InputError

ClientT = TypeVar("ClientT")


def session_of(client: Any) -> Any:
    """Return the session of a client, or what is one itself.

    Raises:
        ImportError: `mcp` is not installed.
        InputError: It is neither, or not connected.
    """
    require("mcp", "mcp")
    try:
        session = getattr(client, "session", client)
    except RuntimeError as error:
        raise InputError("wrap the client inside its `async with`, once it is connected") from error
    if not hasattr(session, "send_request"):
        raise InputError(f"{type(client).__name__} is neither a Client nor a ClientSession of mcp")
    return session


def session_handle(
    session: Any, client: ClientT, guard: Checker, tool_error: str | None
) -> Handle[ClientT] | None:
    """Return the handle that is on a session already, if any.

    Args:
        session: The session.
        client: What the handle is to give.
        guard: Who is to judge.
        tool_error: What is to stand in place of a blocked tool result.

    Raises:
        GuardrailError: It is another one.
    """
    mark: tuple[Handle[ClientT], str | None] | None = getattr(session.send_request, MARK, None)
    if mark is None:
        return None
    known, answer = mark
    if known.guard is guard and known.client is client and answer == tool_error:
        return known
    raise GuardrailError("the session is guarded already; undo() that first")


def introduction(session: Any) -> Iterator[Any]:
    """Yield what a server that has introduced itself said then."""
    return words(getattr(session, "instructions", None))


def guard_session(
    session: Any, client: ClientT, guard: Checker, tool_error: str | None
) -> Handle[ClientT]:
    """Have a session judge its requests and results; a second time returns the first handle.

    Args:
        session: The session.
        client: What the handle gives: the client that has it, or itself.
        guard: Who judges.
        tool_error: What stands in place of a blocked tool result; of None, `Blocked` is raised.

    Raises:
        GuardrailError: Another handle is on it already.
    """
    if (known := session_handle(session, client, guard, tool_error)) is not None:
        return known
    send = session.send_request

    @functools.wraps(send)
    async def judged(request: Any, *args: Any, **kwargs: Any) -> Any:
        wire = on_the_wire(request)
        await arefuse(guard, asked(wire["method"], wire.get("params") or {}))
        result = await send(request, *args, **kwargs)
        try:
            await arefuse(guard, said(wire["method"], on_the_wire(result)))
        except Blocked:
            if tool_error is None or wire["method"] != CALL:
                raise
            return type(result).model_validate(told_instead(tool_error))
        return result

    handle = Handle(client, guard, None)
    setattr(judged, MARK, (handle, tool_error))
    handle.put(session, "send_request", judged)
    return handle
