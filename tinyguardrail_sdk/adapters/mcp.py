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

import base64
import functools
import json
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

from tinyguardrail_sdk.adapters._engine import MARK, Handle
from tinyguardrail_sdk.adapters._frameworks import arefuse, refuse, require
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import Blocked, GuardrailError, InputError
from tinyguardrail_sdk.labels import Source

ClientT = TypeVar("ClientT")

_CALL = "tools/call"
_CANNOT = -32000  # of the codes that are left to servers
_WITHOUT_TEXT = ("image/", "audio/", "video/")
# Keys of schemas and listings whose values are codes, as long as they look like one.
_CODES = {"type", "format", "$schema", "$ref", "uri", "uriTemplate", "mimeType"}


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
    return _words(getattr(session, "instructions", None))


def _put_on(
    session: Any, client: ClientT, guard: Checker, tool_error: str | None
) -> Handle[ClientT]:
    send = session.send_request

    @functools.wraps(send)
    async def judged(request: Any, *args: Any, **kwargs: Any) -> Any:
        wire = _wire(request)
        await arefuse(guard, _asked(wire["method"], wire.get("params") or {}))
        result = await send(request, *args, **kwargs)
        try:
            await arefuse(guard, _said(wire["method"], _wire(result)))
        except Blocked:
            if tool_error is None or wire["method"] != _CALL:
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
            await arefuse(guard, _asked(ctx.method, ctx.params or {}))
            result = await call_next(ctx)
            if result is not None:  # of a notification
                await arefuse(guard, _said(ctx.method, _wire(result)))
        except Blocked as stop:
            if ctx.method == _CALL:
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


def _asked(method: str, params: Mapping[str, Any]) -> Iterator[Any]:
    if params.get("arguments"):
        source = Source.OUTPUT if method == _CALL else Source.USER
        yield source, value_text(params["arguments"])


def _said(method: str, result: Mapping[str, Any]) -> Iterator[Any]:
    """What is in a result; of those that have no shape of their own, all words."""
    if method == _CALL and "content" in result:
        yield from _tool_result(result)
    elif method == "resources/read" and "contents" in result:
        for each in result["contents"]:
            yield from _resource(each)
    elif method == "prompts/get" and "messages" in result:
        for each in result["messages"]:
            source = Source.USER if each["role"] == "user" else Source.OUTPUT
            yield from _block(each["content"], source)
        yield from _words(result.get("description"))
    elif method.endswith("/list"):
        for each in (
            item for items in result.values() if isinstance(items, list) for item in items
        ):
            yield from _words(each)
    elif method == "initialize":
        yield from _words(result.get("instructions"))
    else:
        yield from _words(result)


def _tool_result(result: Mapping[str, Any]) -> Iterator[Any]:
    blocks = [found for block in result["content"] for found in _block(block, Source.TOOL)]
    yield from blocks
    # Servers send the same as text and as data.
    data = list(_leaves(result.get("structuredContent")))
    if data and data != [word for _, text in blocks for word in _leaves(_data(text))]:
        yield Source.TOOL, "\n".join(data)


def _block(block: Mapping[str, Any], source: Source) -> Iterator[tuple[Source, str]]:
    kind = block.get("type")
    if kind == "text":
        yield source, block["text"]
    elif kind == "resource":
        yield from _resource(block["resource"])
    elif kind == "resource_link":
        yield from _words(block)
    elif kind not in ("image", "audio"):
        raise InputError("unknown type of content block; update tinyguardrail-sdk, or undo()")


def _resource(contents: Mapping[str, Any]) -> Iterator[tuple[Source, str]]:
    kind = contents.get("mimeType") or ""
    if "text" in contents:
        yield Source.DOCUMENT, contents["text"]
    elif kind.startswith("text/") or kind.endswith("json"):
        yield Source.DOCUMENT, base64.b64decode(contents["blob"]).decode(errors="replace")
    elif not kind.startswith(_WITHOUT_TEXT):
        raise InputError("a resource that is neither text nor a picture or sound cannot be read")


def _words(value: Any) -> Iterator[tuple[Source, str]]:
    """What a server says of itself and of what it has, as one text."""
    found = list(_leaves(value, _CODES))
    if found:
        yield Source.TOOL, "\n".join(found)


def _data(text: str) -> Any:
    """What a text says as JSON, where it is an object or a list; else the text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | list) else text


def _leaves(value: Any, codes: Collection[str] = ()) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if not _looks_like_code(key):
                yield key
            if key not in codes or not _looks_like_code(each):
                yield from _leaves(each, codes)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each, codes)


def _looks_like_code(value: Any) -> bool:
    return isinstance(value, str) and len(value) < 100 and len(value.split()) < 2


def _tool_error(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "isError": True}


def _wire(value: Any) -> Any:
    """Return a model of any version of the SDK as what goes over the wire."""
    if isinstance(value, Mapping):
        return value
    return value.model_dump(by_alias=True, mode="json", exclude_none=True)
