"""Ways to call a client, run alike on its synchronous and its asynchronous form."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.checker import Checker

ATTACK = "zebra-override now"


@dataclass(frozen=True)
class Shape:
    """A method of a client: what it returns is an answer, a stream, or a manager of a stream."""

    path: str
    kind: str
    extra: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.path}-{self.kind}"

    def call(self, client: Any, request: dict[str, Any], out: list[Any]) -> None:
        """Make the call; what is released goes to `out`, even when an error ends it."""
        answer = attrgetter(self.path)(client)(**request, **self.extra)
        if self.kind == "plain":
            out.append(answer)
        elif self.kind == "stream":
            with answer:
                out.extend(answer)  # keeps what came before an error
        else:
            with answer as stream:
                out.extend(stream)

    async def acall(self, client: Any, request: dict[str, Any], out: list[Any]) -> None:
        """Like `call` for the asynchronous client."""
        answer = attrgetter(self.path)(client)(**request, **self.extra)
        if self.kind == "plain":
            out.append(await answer)
        elif self.kind == "stream":
            async with await answer as stream:
                async for each in stream:
                    out.append(each)
        else:
            async with answer as stream:
                async for each in stream:
                    out.append(each)


def ask(
    make: Callable[[], Any],
    guard: Checker | None,
    shape: Shape,
    request: dict[str, Any],
    out: list[Any] | None = None,
) -> list[Any]:
    """Call a new client, guarded or not; returns what was released."""
    out = [] if out is None else out
    client = make()
    if guard is not None:
        wrap(client, guard)
    if hasattr(client, "__aenter__"):
        asyncio.run(_acall(client, shape, request, out))
    else:
        with client:
            shape.call(client, request, out)
    return out


async def _acall(client: Any, shape: Shape, request: dict[str, Any], out: list[Any]) -> None:
    async with client:
        await shape.acall(client, request, out)
