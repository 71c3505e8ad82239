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

from typing import Any

from tinyguardrail_sdk.adapters._frameworks import Judging, judge_of, judging_copy, require
from tinyguardrail_sdk.adapters._items import aeach_of, each_of, sorted_out
from tinyguardrail_sdk.adapters._judging import (
    ACall,
    AStream,
    Call,
    First,
    Refused,
    Send,
    Stream,
    every,
)
from tinyguardrail_sdk.adapters._llama_index_messages import EngineReader, LLMReader
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import InputError
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

    def texts(nodes: list[Any]) -> list[str]:
        return [each.node.get_content(metadata_mode=mode) for each in nodes]

    def kept(nodes: list[Any], verdicts: list[Verdict]) -> list[Any]:
        return sorted_out(nodes, verdicts, raising=not drop)[0]

    def process(self: Any, nodes: list[Any], query_bundle: Any = None) -> list[Any]:
        return kept(nodes, each_of(guard, texts(nodes), Source.DOCUMENT))

    async def aprocess(self: Any, nodes: list[Any], query_bundle: Any = None) -> list[Any]:
        return kept(nodes, await aeach_of(guard, texts(nodes), Source.DOCUMENT))

    methods = {"_postprocess_nodes": process, "_apostprocess_nodes": aprocess}
    return type(base)("GuardPostprocessor", (base,), {"__module__": __name__, **methods})()


def _held(copied: Any, answer: Any) -> Any:
    """Return an answer of an engine with its stream, where it is one, held back."""
    if not hasattr(answer, "response"):
        guard, delay = judge_of(copied)
        stream, tokens = StreamGuard(guard, delay=delay), answer.response_gen
        answer.response_gen = (stream.awrap if hasattr(tokens, "__anext__") else stream.wrap)(
            tokens
        )
    return answer


class _Ask(Call):
    def judged(self, copied: Any, request: Any, send: Send) -> Any:
        return _held(copied, super().judged(copied, request, send))


class _AAsk(ACall):
    async def judged(self, copied: Any, request: Any, send: Send) -> Any:
        return _held(copied, await super().judged(copied, request, send))


_ASKED = (LLMReader, First(("messages", "prompt")))
_LLM: Judging = (
    ("chat", Call(*_ASKED)),
    ("complete", Call(*_ASKED)),
    ("achat", ACall(*_ASKED)),
    ("acomplete", ACall(*_ASKED)),
    ("stream_chat", Stream(*_ASKED)),
    ("stream_complete", Stream(*_ASKED)),
    ("astream_chat", AStream(*_ASKED)),
    ("astream_complete", AStream(*_ASKED)),
)
_ask, _aask = _Ask(EngineReader, every), _AAsk(EngineReader, every)
_refused = Refused(
    "a chat engine streams from a thread of its own, which this guard cannot hold back, and "
    "synthesize() goes around query(); build the engine with guard_llm(llm, guard) instead"
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
