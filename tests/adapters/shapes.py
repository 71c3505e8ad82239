"""The ways to call the clients, and what they are asked."""

import base64
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import pytest

from tests.adapters.wire import Wire

ATTACK = "zebra-override now"
QUESTION = "What is the capital of France?"
LONG = "The capital of France lies on the river Seine. " * 40
PLAIN, STREAM, MANAGER, RESPONSE = "plain", "stream", "manager", "response"
# When a vendor's own stream that is closed early hangs up.
AT_ONCE, COLLECTED, NEVER = "at once", "when it is collected as garbage", "never"

# What a tool found, a page, or a file.
FOUND = f"9 to 5. {ATTACK}"
# The same as clients send files along.
CODED = base64.b64encode(FOUND.encode()).decode()
FILE_URL = f"data:text/markdown;base64,{CODED}"

Request = dict[str, Any]
# Makes a client of the server, and of how often it may try again.
Make = Callable[[Wire, int], Any]


@dataclass(frozen=True)
class Dialect:
    """What a family of methods takes.

    Attributes:
        ask: Makes the request with a text of the user; where there can be instructions of the
            application, `ATTACK` is in them, for it may say that.
        hostile: By name, requests with `ATTACK` elsewhere than in what the user or the application
            says: a tool result, a document.
        calls: Whether the answers can have tool calls.
        reasons: Whether they can have the model's reasoning.
    """

    ask: Callable[[str], Request]
    hostile: Mapping[str, Request] = field(default_factory=dict)
    calls: bool = True
    reasons: bool = True


def conversation(text: str) -> list[Any]:
    """What most clients are asked: `ATTACK` as the application's words, and a text of the user."""
    return [
        {"role": "system", "content": f"You talk about {ATTACK}."},  # the application may
        {"role": "user", "content": text},
    ]


@dataclass(frozen=True)
class Shape:
    """One way to call a client.

    Attributes:
        path: The method.
        kind: What it returns: `PLAIN` an answer, `STREAM`, or a context manager of one of these:
            `RESPONSE` of an answer, `MANAGER` of a stream.
        dialect: What it takes.
        extra: Further arguments.
        opened: Takes what is looked at from what was returned, or entered.
        asynchronous: Whether it is, of a client that has both kinds of methods.
        retries: Whether the client tries again by itself.
        hangs_up: When the vendor's own stream hangs up that is closed early.
    """

    path: str
    kind: str
    dialect: Dialect
    extra: Request = field(default_factory=dict)
    opened: Callable[[Any], Any] = lambda answer: answer
    asynchronous: bool = False
    retries: bool = True
    hangs_up: str = AT_ONCE

    def __str__(self) -> str:
        return f"{self.path}-{self.kind}"

    def method(self, client: Any) -> Any:
        """What is called."""
        return reached(client, self.path)

    def awaits(self, client: Any) -> bool:
        """Whether the call is asynchronous."""
        return self.asynchronous or "Async" in type(client).__name__

    async def consume(self, client: Any, request: Request, out: list[Any]) -> None:
        """Make the call; what is released goes to `out`, even when an error ends it."""
        async with self.open(client, request) as chunks:
            async for each in chunks:
                out.append(each)

    @asynccontextmanager
    async def open(self, client: Any, request: Request) -> AsyncIterator[AsyncIterator[Any]]:
        """Make the call, and give what it returned as a stream; closes it in the end."""
        answer = self.method(client)(**request, **self.extra)
        if self.kind in (PLAIN, STREAM):
            answer = await awaited(self.opened(await awaited(answer)))
            try:
                yield self._steps(answer)
            finally:
                if self.kind == STREAM:
                    await _closed(answer)
        elif self.awaits(client):
            async with answer as entered:
                yield self._steps(await awaited(self.opened(entered)))
        else:
            with answer as entered:
                yield self._steps(self.opened(entered))

    def _steps(self, answer: Any) -> AsyncIterator[Any]:
        if self.kind in (PLAIN, RESPONSE):
            return _steps([answer])
        return aiter(answer) if hasattr(answer, "__aiter__") else _steps(answer)


async def awaited(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer


async def _closed(stream: Any) -> None:
    names = ("aclose", "close", "__aexit__", "__exit__")  # some have no more than the last
    name = next((name for name in names if hasattr(stream, name)), None)
    if name is None:  # some cannot be closed at all
        return
    await awaited(getattr(stream, name)(*([None] * 3 if name.endswith("__") else [])))


async def _steps(chunks: Any) -> AsyncIterator[Any]:
    for each in chunks:
        yield each


def reached(client: Any, path: str) -> Any:
    """What is at a path of a client; where its version has nothing the test is skipped."""
    try:
        return attrgetter(path)(client)
    except AttributeError:
        pytest.skip(f"this version has no {path}")


def installed(module: str, *, extra: str) -> Any:
    """The client's package; without it the tests of the module are reported as skipped."""
    remedy = f"needs the client: pip install 'tinyguardrail-sdk[{extra}]'"
    return pytest.importorskip(module, reason=remedy)
