"""Haystack: guarded generators, and components for pipelines.

pip install "tinyguardrail-sdk[haystack]"

    pipeline.add_component("llm", guard_generator(OpenAIChatGenerator(), guard))
    agent = Agent(chat_generator=guard_generator(OpenAIChatGenerator(), guard), tools=[...])
    pipeline.add_component("documents", document_guard(guard))  # behind the retriever

A guarded generator judges its messages before the model is asked and the replies before they are
returned, and tells its streaming callback what was cleared. In a pipeline, `Blocked` is the
`__cause__` of a `PipelineRuntimeError`; with `route=True` the components of this module raise
nothing: what they block leaves by a socket of its own.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Iterable
from types import GenericAlias
from typing import Any

from tinyguardrail_sdk.adapters._engine import _named
from tinyguardrail_sdk.adapters._frameworks import (
    Judging,
    Method,
    judge_of,
    judging_copy,
    require,
)
from tinyguardrail_sdk.adapters._haystack_messages import Reader, deltas
from tinyguardrail_sdk.calls import guarded_acall, guarded_call
from tinyguardrail_sdk.checker import Checker, as_source
from tinyguardrail_sdk.chunks import HeldChunks
from tinyguardrail_sdk.errors import Blocked, GuardrailError, InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.streaming import StreamGuard
from tinyguardrail_sdk.verdict import Verdict

_SOCKETS = ("__haystack_input__", "__haystack_output__")
_CALLBACK = "streaming_callback"


def guard_generator(generator: Any, guard: Checker, *, delay: Delay | None = None) -> Any:
    """Return a guarded copy of a generator; it cannot be saved with its pipeline.

    Args:
        generator: A component whose `run` takes `messages`, or a `prompt`, and gives `replies`.
        guard: Who judges.
        delay: How much of a stream is held back.

    Raises:
        ImportError: Haystack is not installed.
        InputError: It is no such component, or it is in a pipeline already.
        GuardrailError: Another guard is on it already.
    """
    component = require("haystack.core.component", "haystack").Component
    known = isinstance(generator, component)
    if not known or not hasattr(generator.__haystack_output__, "replies"):
        raise InputError(f"{type(generator).__name__} is no generator of Haystack")
    if vars(generator).get("__haystack_added_to_pipeline__") is not None:
        raise InputError("it is in a pipeline already; guard it before you add it to one")
    present = tuple(each for each in _JUDGING if hasattr(generator, each[0]))
    made = judging_copy(generator, guard, delay, present)
    if made is not generator:  # a pipeline writes its connections into the sockets
        for name in _SOCKETS:
            sockets = vars(generator)[name]
            own = copy.deepcopy(sockets._sockets_dict)
            setattr(made, name, type(sockets)(made, own, sockets._sockets_io_type))
    return made


def document_guard(guard: Checker, *, route: bool = False) -> Any:
    """Return a component that judges `documents`, and passes on those that are cleared.

    Args:
        guard: Who judges.
        route: Let blocked documents leave by the socket `blocked`; by default `Blocked` is raised.

    Raises:
        ImportError: Haystack is not installed.
    """
    haystack = require("haystack", "haystack")
    kind = GenericAlias(list, haystack.Document)

    def split(verdicts: list[Verdict], documents: list[Any]) -> dict[str, Any]:
        stop = next((each for each in verdicts if each.blocked), None)
        if stop is not None and not route:
            raise Blocked(stop)
        sorted_out: dict[str, Any] = {"documents": [], "blocked": []}
        for verdict, document in zip(verdicts, documents, strict=True):
            sorted_out["blocked" if verdict.blocked else "documents"].append(document)
        return sorted_out

    def run(self: Any, documents: list[Any]) -> dict[str, Any]:
        texts = [each.content or "" for each in documents]
        return split([guard.check(text, source=Source.DOCUMENT) for text in texts], documents)

    async def run_async(self: Any, documents: list[Any]) -> dict[str, Any]:
        texts = [each.content or "" for each in documents]
        found = [await guard.acheck(text, source=Source.DOCUMENT) for text in texts]
        return split(found, documents)

    return _component(haystack, "DocumentGuard", run, run_async, documents=kind, blocked=kind)


def text_guard(guard: Checker, *, source: Source | str = Source.USER, route: bool = False) -> Any:
    """Return a component that judges a `text`, a question say, and passes it on.

    Args:
        guard: Who judges.
        source: Where the text comes from.
        route: Let a blocked text leave by the socket `blocked`; by default `Blocked` is raised.

    Raises:
        ImportError: Haystack is not installed.
        InputError: There is no such source.
    """
    haystack = require("haystack", "haystack")
    origin = as_source(source)

    def passed(verdict: Verdict, text: str) -> dict[str, Any]:
        if verdict.blocked and not route:
            raise Blocked(verdict)
        return {"blocked" if verdict.blocked else "text": text}

    def run(self: Any, text: str) -> dict[str, Any]:
        return passed(guard.check(text, source=origin), text)

    async def run_async(self: Any, text: str) -> dict[str, Any]:
        return passed(await guard.acheck(text, source=origin), text)

    return _component(haystack, "TextGuard", run, run_async, text=str, blocked=str)


def _component(haystack: Any, name: str, run: Method, run_async: Method, **sockets: Any) -> Any:
    (taken, *_) = sockets
    for method in (run, run_async):
        method.__annotations__ = {taken: sockets[taken]}
    outputs = haystack.component.output_types(**sockets)
    methods = {"run": outputs(run), "run_async": outputs(run_async), "__module__": __name__}
    return haystack.component(type(name, (), methods))()


def _run(original: Method) -> Method:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, delay = judge_of(self)
        given = _named(original, (self, *args), kwargs)
        told = given.get(_CALLBACK) or getattr(self, _CALLBACK, None)
        if told is None:
            return guarded_call(guard, Reader(), given, functools.partial(original, **given))
        held = _Held(StreamGuard(guard, delay=delay), told)

        def send() -> Any:
            answer = original(**{**given, _CALLBACK: held.tell})
            held.tell_rest()
            return answer

        return guarded_call(guard, Reader(), given, send)

    return call


def _run_async(original: Method) -> Method:
    @functools.wraps(original)
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, delay = judge_of(self)
        given = _named(original, (self, *args), kwargs)
        told = given.get(_CALLBACK) or getattr(self, _CALLBACK, None)
        if told is None:
            send = functools.partial(original, **given)
            return await guarded_acall(guard, Reader(), given, send)
        held = _Held(StreamGuard(guard, delay=delay), told)

        async def send_telling() -> Any:
            answer = await original(**{**given, _CALLBACK: held.atell})
            await held.atell_rest()
            return answer

        return await guarded_acall(guard, Reader(), given, send_telling)

    return call


def _unsaved(original: Method) -> Method:
    @functools.wraps(original)
    def call(self: Any) -> Any:
        raise GuardrailError(
            "a guarded generator would be loaded again without its guard; save the pipeline with "
            "the plain one, and guard it where you load it"
        )

    return call


_JUDGING: Judging = (("run", _run), ("run_async", _run_async), ("to_dict", _unsaved))


class _Held:
    """Stands for a streaming callback, and tells it the chunks that are cleared."""

    def __init__(self, stream: StreamGuard, told: Method) -> None:
        self._chunks = HeldChunks[Any](stream)
        self._told = told

    def tell(self, chunk: Any) -> None:
        self._tell(self._chunks.feed(chunk, deltas(chunk)))

    def tell_rest(self) -> None:
        self._tell(self._chunks.finish())

    async def atell(self, chunk: Any) -> None:
        await self._atell(await self._chunks.afeed(chunk, deltas(chunk)))

    async def atell_rest(self) -> None:
        await self._atell(await self._chunks.afinish())

    def _tell(self, chunks: Iterable[Any]) -> None:
        for chunk in chunks:
            self._told(chunk)

    async def _atell(self, chunks: Iterable[Any]) -> None:
        for chunk in chunks:
            done = self._told(chunk)
            if inspect.isawaitable(done):
                await done
