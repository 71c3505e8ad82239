"""How engines of LlamaIndex are judged, and which of their methods cannot be."""

from __future__ import annotations

from typing import Any

from tinyguardrail_sdk.adapters._frameworks import Judging, judge_of
from tinyguardrail_sdk.adapters._judging import ACall, Call, Refused, Send, every
from tinyguardrail_sdk.adapters._llama_index_messages import EngineReader
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.streaming import StreamGuard


def judging_of(engine: Any) -> Judging:
    """Return what makes the methods of an engine judge.

    Raises:
        InputError: It is neither a query engine nor a chat engine.
    """
    for judging in (_QUERY_ENGINE, _CHAT_ENGINE):
        if all(hasattr(engine, name) for name, _ in judging):
            return judging + tuple(each for each in _AROUND if hasattr(engine, each[0]))
    raise InputError(f"{type(engine).__name__} is neither a query engine nor a chat engine")


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
