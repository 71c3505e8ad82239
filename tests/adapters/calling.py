"""How the tests make calls of a vendor's clients, and what they say of the vendor for it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest

from tests.adapters.shapes import ATTACK, LONG, QUESTION, Make, Request, Shape, awaited
from tests.adapters.wire import PIECE
from tinyguardrail_sdk import Blocked, Delay, Guard
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.checker import Checker


class Calling:
    """Makes the calls; a subclass tells of the vendor.

    Attributes:
        forms: By name, the makers of the vendor's clients.
        shapes: The guarded calls, each of which every form has.
    """

    forms: ClassVar[Mapping[str, Make]]
    shapes: ClassVar[list[Shape]]

    @staticmethod
    async def close(client: Any) -> None:
        """Close a client."""
        await awaited(client.close())

    @asynccontextmanager
    async def alive(self, client: Any) -> AsyncIterator[None]:
        """Close a client in the end, in the loop that it works in."""
        try:
            yield
        finally:
            await self.close(client)

    def run(
        self,
        client: Any,
        guard: Checker | None,
        shape: Shape,
        request: Request,
        out: list[Any] | None = None,
    ) -> list[Any]:
        """Make a call of a client, guarded or not, and close it; returns what was released."""
        out = [] if out is None else out
        if guard is not None:
            wrap(client, guard)

        async def main() -> None:
            async with self.alive(client):
                await shape.consume(client, request, out)

        asyncio.run(main())
        return out

    def flows_until_the_attack(self, client: Any, shape: Shape, guard: Guard) -> None:
        """Check that a long stream with the attack in it is released up to there."""
        wrap(client, guard, delay=Delay(hold=100, every=50))
        out: list[Any] = []
        with pytest.raises(Blocked):
            self.run(client, None, shape, shape.dialect.ask(QUESTION), out)
        assert len(LONG) / PIECE * 0.8 < len(out)
        assert ATTACK[:PIECE] not in repr(out)
