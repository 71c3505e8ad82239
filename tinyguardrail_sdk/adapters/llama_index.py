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

from tinyguardrail_sdk.adapters._frameworks import Judging, judging_copy, require
from tinyguardrail_sdk.adapters._items import aeach_of, each_of, sorted_out
from tinyguardrail_sdk.adapters._judging import ACall, AStream, Call, First, Stream
from tinyguardrail_sdk.adapters._llama_index_engine import judging_of
from tinyguardrail_sdk.adapters._llama_index_messages import LLMReader
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
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
    return judging_copy(engine, guard, delay, judging_of(engine))


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
