"""LlamaIndex: guarded LLMs, engines, and a postprocessor for what was retrieved.

pip install "tinyguardrail-sdk[llama-index]"

    llm = guard_llm(OpenAI(), guard)
    index.as_query_engine(llm=llm, node_postprocessors=[postprocessor(guard)])
    engine = guard_engine(engine, guard)

A guarded LLM judges messages and prompts before they are sent, answers before they are returned,
and holds streams back until they are cleared. Retrieved nodes are judged as documents before they
are put into a prompt; put the postprocessor last. A guarded engine judges questions and answers.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import (
    Judging,
    Method,
    judge_of,
    judging_copy,
    require,
)
from tinyguardrail_sdk.adapters._llama_index_messages import EngineReader, LLMReader
from tinyguardrail_sdk.calls import guarded_acall, guarded_astream, guarded_call, guarded_stream
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import Blocked, GuardrailError, InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.streaming import StreamGuard
from tinyguardrail_sdk.verdict import Verdict


def guard_llm(llm: Any, guard: Checker, *, delay: Delay | None = None) -> Any:
    """Return a guarded copy of an LLM.

    Args:
        llm: Any `LLM`.
        guard: Who judges.
        delay: How much of a stream is held back.

    Raises:
        ImportError: LlamaIndex is not installed.
        InputError: It is no LLM.
        GuardrailError: Another guard is on it already.
    """
    if not isinstance(llm, require("llama_index.core.llms", "llama-index").LLM):
        raise InputError(f"{type(llm).__name__} is no LLM of LlamaIndex")
    return judging_copy(llm, guard, delay, _LLM)


def guard_engine(engine: Any, guard: Checker, *, delay: Delay | None = None) -> Any:
    """Return a guarded copy of a query engine or of a chat engine.

    A chat engine streams from a thread of its own, so `stream_chat` of a guarded one is refused:
    build the engine with a guarded LLM instead. So are `synthesize` and `asynthesize`.

    Args:
        engine: What has `query` and `aquery`, or `chat` and `achat`.
        guard: Who judges.
        delay: How much of a streamed answer of a query engine is held back.

    Raises:
        InputError: It is neither.
        GuardrailError: Another guard is on it already.
    """
    for judging in (_QUERY_ENGINE, _CHAT_ENGINE):
        if all(hasattr(engine, name) for name, _ in judging):
            around = tuple(each for each in _AROUND if hasattr(engine, each[0]))
            return judging_copy(engine, guard, delay, judging + around)
    raise InputError(f"{type(engine).__name__} is neither a query engine nor a chat engine")


def postprocessor(guard: Checker, *, drop: bool = False) -> Any:
    """Return a node postprocessor that judges what was retrieved, as the LLM would read it.

    Args:
        guard: Who judges.
        drop: Leave blocked nodes out; by default `Blocked` is raised.

    Raises:
        ImportError: LlamaIndex is not installed.
    """
    base = require("llama_index.core.postprocessor.types", "llama-index").BaseNodePostprocessor
    mode = require("llama_index.core.schema", "llama-index").MetadataMode.LLM

    def judged(node: Any, verdict: Verdict) -> list[Any]:
        if not verdict.blocked:
            return [node]
        if drop:
            return []
        raise Blocked(verdict)

    def process(self: Any, nodes: list[Any], query_bundle: Any = None) -> list[Any]:
        kept = []
        for node in nodes:
            text = node.node.get_content(metadata_mode=mode)
            kept += judged(node, guard.check(text, source=Source.DOCUMENT))
        return kept

    async def aprocess(self: Any, nodes: list[Any], query_bundle: Any = None) -> list[Any]:
        kept = []
        for node in nodes:
            text = node.node.get_content(metadata_mode=mode)
            kept += judged(node, await guard.acheck(text, source=Source.DOCUMENT))
        return kept

    methods = {"_postprocess_nodes": process, "_apostprocess_nodes": aprocess}
    return type(base)("GuardPostprocessor", (base,), {"__module__": __name__, **methods})()


def _call(original: Method) -> Method:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, _ = judge_of(self)
        send = functools.partial(original, self, *args, **kwargs)
        return guarded_call(guard, LLMReader(), _given(args, kwargs), send)

    return call


def _acall(original: Method) -> Method:
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, _ = judge_of(self)
        send = functools.partial(original, self, *args, **kwargs)
        return await guarded_acall(guard, LLMReader(), _given(args, kwargs), send)

    return call


def _stream(original: Method) -> Method:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, delay = judge_of(self)
        send = functools.partial(original, self, *args, **kwargs)
        return guarded_stream(guard, LLMReader(), _given(args, kwargs), send, delay=delay)

    return call


def _astream(original: Method) -> Method:
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, delay = judge_of(self)
        send = functools.partial(original, self, *args, **kwargs)
        return await guarded_astream(guard, LLMReader(), _given(args, kwargs), send, delay=delay)

    return call


def _ask(original: Method) -> Method:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, delay = judge_of(self)
        send = functools.partial(original, self, *args, **kwargs)
        answer = guarded_call(guard, EngineReader(), (args, kwargs), send)
        return _held(answer, StreamGuard(guard, delay=delay))

    return call


def _aask(original: Method) -> Method:
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, delay = judge_of(self)
        send = functools.partial(original, self, *args, **kwargs)
        answer = await guarded_acall(guard, EngineReader(), (args, kwargs), send)
        return _held(answer, StreamGuard(guard, delay=delay))

    return call


def _refused(original: Method) -> Method:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise GuardrailError(
            "a chat engine streams from a thread of its own, which this guard cannot hold back, "
            "and synthesize() goes around query(); build the engine with guard_llm(llm, guard) "
            "instead"
        )

    return call


_LLM: Judging = (
    ("chat", _call),
    ("complete", _call),
    ("achat", _acall),
    ("acomplete", _acall),
    ("stream_chat", _stream),
    ("stream_complete", _stream),
    ("astream_chat", _astream),
    ("astream_complete", _astream),
)
_QUERY_ENGINE: Judging = (("query", _ask), ("aquery", _aask))
_CHAT_ENGINE: Judging = (
    ("chat", _ask),
    ("achat", _aask),
    ("stream_chat", _refused),
    ("astream_chat", _refused),
)

# Ways around `query`, where an engine has them.
_AROUND: Judging = (("synthesize", _refused), ("asynthesize", _refused))


def _given(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    return args[0] if args else kwargs.get("messages", kwargs.get("prompt"))


def _held(answer: Any, stream: StreamGuard) -> Any:
    """Return an answer of an engine with its stream, where it is one, held back."""
    if not hasattr(answer, "response"):
        tokens = answer.response_gen
        held = stream.awrap if hasattr(tokens, "__anext__") else stream.wrap
        answer.response_gen = held(tokens)
    return answer
