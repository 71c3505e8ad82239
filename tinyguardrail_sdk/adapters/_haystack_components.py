"""Components of Haystack that judge what runs through them, and callbacks that are held back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import Method, require
from tinyguardrail_sdk.adapters._haystack_messages import deltas
from tinyguardrail_sdk.adapters._items import aeach_of, each_of
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.chunks import HeldChunks
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.streaming import StreamGuard
from tinyguardrail_sdk.verdict import Verdict

CALLBACK = "streaming_callback"


@dataclass(frozen=True)
class Judging:
    """What a component does.

    Attributes:
        guard: Who judges.
        source: Where the texts come from.
        texts: Takes them from what the component is given.
        passed: Of what it was given and the verdicts, what leaves by which socket.
    """

    guard: Checker
    source: Source
    texts: Callable[[Any], list[str]]
    passed: Callable[[Any, list[Verdict]], dict[str, Any]]


def component(name: str, judging: Judging, **sockets: Any) -> Any:
    """Return a component with sockets of the types given; the first is also what it is given.

    Raises:
        ImportError: Haystack is not installed.
    """
    make = require("haystack", "haystack").component
    (taken, *_) = sockets

    def init(self: Any) -> None:
        make.set_input_types(self, **{taken: sockets[taken]})
        make.set_output_types(self, **sockets)

    def run(self: Any, **given: Any) -> dict[str, Any]:
        verdicts = each_of(judging.guard, judging.texts(given[taken]), judging.source)
        return judging.passed(given[taken], verdicts)

    async def run_async(self: Any, **given: Any) -> dict[str, Any]:
        verdicts = await aeach_of(judging.guard, judging.texts(given[taken]), judging.source)
        return judging.passed(given[taken], verdicts)

    methods = {"__init__": init, "run": run, "run_async": run_async, "__module__": __name__}
    return make(type(name, (), methods))()


class HeldCallback:
    """Stands for a streaming callback, and tells it the chunks that are cleared."""

    def __init__(self, stream: StreamGuard, told: Method) -> None:
        self._chunks = HeldChunks[Any](stream)
        self._told = told

    def through(self, method: Method, given: Mapping[str, Any]) -> Any:
        """Call a method that tells this one."""
        answer = method(**{**given, CALLBACK: self._take})
        self._tell(self._chunks.finish())
        return answer

    async def athrough(self, method: Method, given: Mapping[str, Any]) -> Any:
        """Like `through` for a method that is awaited."""
        answer = await method(**{**given, CALLBACK: self._atake})
        await self._atell(await self._chunks.afinish())
        return answer

    def _take(self, chunk: Any) -> None:
        self._tell(self._chunks.feed(chunk, deltas(chunk)))

    async def _atake(self, chunk: Any) -> None:
        await self._atell(await self._chunks.afeed(chunk, deltas(chunk)))

    def _tell(self, chunks: Iterable[Any]) -> None:
        for chunk in chunks:
            self._told(chunk)

    async def _atell(self, chunks: Iterable[Any]) -> None:
        for chunk in chunks:
            done = self._told(chunk)
            if inspect.isawaitable(done):
                await done
