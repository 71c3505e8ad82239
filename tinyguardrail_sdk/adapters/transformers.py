"""Pipelines of transformers.

pip install "tinyguardrail-sdk[transformers]"

    generate = guard_pipeline(pipeline("text-generation", model), guard)

Prompts and chats are judged before the model runs, each of a batch by itself, and what it wrote
before it is returned; of a generator or a data set, one after the other as they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import (
    Method,
    judge_of,
    judging_copy,
    refuse,
    require,
)
from tinyguardrail_sdk.adapters._transformers_texts import GIVEN, given, is_lazy, said
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import GuardrailError, InputError
from tinyguardrail_sdk.labels import Source


def guard_pipeline(pipeline: Any, guard: Checker) -> Any:
    """Return a guarded copy of a pipeline.

    Args:
        pipeline: What `transformers.pipeline` returned.
        guard: Who judges.

    Raises:
        ImportError: transformers is not installed.
        InputError: It is no pipeline.
        GuardrailError: Another guard is on it already.
    """
    if not isinstance(pipeline, require("transformers", "transformers").Pipeline):
        raise InputError(f"{type(pipeline).__name__} is no pipeline of transformers")
    return judging_copy(pipeline, guard, None, _JUDGING)


def _call(original: Method) -> Method:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, _ = judge_of(self)
        _refuse_streamers(self, kwargs)
        lazy = bool(args) and is_lazy(args[0])
        inputs = [(each, Source.USER) for each in args[lazy:]]
        inputs += [(kwargs[name], own) for name, own in GIVEN.items() if name in kwargs]
        messages = [message for each in inputs for message in given(*each)]
        refuse(guard, messages)
        if lazy:
            drawn = (_judged(guard, each) for each in args[0])
            return _released(guard, original(self, drawn, *args[1:], **kwargs))
        result = original(self, *args, **kwargs)
        refuse(guard, said(result, messages))
        return result

    return call


_JUDGING = (("__call__", _call),)


def _refuse_streamers(pipeline: Any, options: Mapping[str, Any]) -> None:
    """Refuse those of a call and those that the pipeline was made with."""
    for each in (options, getattr(pipeline, "_forward_params", {})):
        inner = each.get("generate_kwargs") or {}
        if each.get("streamer") is not None or inner.get("streamer") is not None:
            raise GuardrailError(
                "a streamer gets the tokens before they are judged; give one to an unguarded "
                "pipeline, and read it through guard.stream().wrap(TextIteratorStreamer(...))"
            )


def _judged(guard: Checker, item: Any) -> Any:
    refuse(guard, given(item, Source.USER))
    return item


def _released(guard: Checker, results: Iterable[Any]) -> Iterator[Any]:
    for result in results:
        refuse(guard, said(result, []))
        yield result
