"""What Anthropic is asked, of a client and of its tool runner."""

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from tests.adapters.conformance import (
    ATTACK,
    CODED,
    FOUND,
    Dialect,
    Make,
    Request,
    Shape,
    installed,
)
from tests.adapters.wire import Wire

anthropic = installed("anthropic", extra="anthropic")


def asked(content: Any) -> Request:
    return {
        "model": "m",
        "max_tokens": 9,
        "system": f"You talk about {ATTACK}.",  # the application may
        "messages": [{"role": "user", "content": content}],
    }


PLAIN_TEXT = {"type": "text", "media_type": "text/plain", "data": FOUND}
FILE = {"type": "base64", "media_type": "text/markdown", "data": CODED}
MESSAGES = Dialect(
    ask=asked,
    hostile={
        "tool": asked([{"type": "tool_result", "tool_use_id": "t", "content": FOUND}]),
        "document": asked([{"type": "document", "source": PLAIN_TEXT}]),
        "file": asked([{"type": "document", "source": FILE}]),
    },
)


RUNNER = "beta.messages.tool_runner"


class Running(Shape):
    """The tool runner, for one turn."""

    def method(self, client: Any) -> Any:
        start = super().method(client)
        tools = [tool_of(self.awaits(client), lambda city: city)]
        return functools.partial(start, tools=tools, max_iterations=1)


def tool_of(awaits: bool, look: Callable[[str], str]) -> Any:
    """The tool that the server calls, of which either argument is looked up."""

    def called(city: str = "", n: str = "") -> str:
        return look(city or n)

    async def acalled(city: str = "", n: str = "") -> str:
        return look(city or n)

    named = {"name": "look", "description": "Looks something up."}
    if awaits:
        return anthropic.beta_async_tool(acalled, **named)
    return anthropic.beta_tool(called, **named)


def events_of(runner: Any) -> Any:
    """The events of every turn of a runner that streams."""

    def events() -> Iterator[Any]:
        for turn in runner:
            with turn:
                yield from turn

    async def aevents() -> AsyncIterator[Any]:
        async for turn in runner:
            async with turn:
                async for event in turn:
                    yield event

    return aevents() if hasattr(runner, "__anext__") else events()


def make(kind: str) -> Make:
    """What makes a client of a class."""

    def build(wire: Wire, retries: int) -> Any:
        return getattr(anthropic, kind)(api_key="none", base_url=wire.url, max_retries=retries)

    return build
