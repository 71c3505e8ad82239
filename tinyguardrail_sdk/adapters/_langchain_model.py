"""A LangChain chat model whose own methods judge: whatever calls it, nothing is told too early."""

from __future__ import annotations

import functools
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import Judging, Method, judging_copy, require
from tinyguardrail_sdk.adapters._judging import (
    ACall,
    Args,
    AsyncGenerating,
    Call,
    Kwargs,
    Send,
    Stream,
)
from tinyguardrail_sdk.adapters._langchain_messages import GenerationReader
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay


def guarded(model: Any, guard: Checker, delay: Delay | None) -> Any:
    """Return a copy of a chat model that judges, as `langchain.guard_model` says."""
    base = require("langchain_core.language_models.chat_models", "langchain").BaseChatModel
    if hasattr(model, "bound"):  # a model with arguments bound to it
        return model.model_copy(update={"bound": guarded(model.bound, guard, delay)})
    if not isinstance(model, base):
        raise InputError(f"{type(model).__name__} is no chat model that can be guarded")
    judging = (*_judging_methods(type(model), base), *_AROUND)
    copy = judging_copy(model, guard, delay, judging)
    if copy is not model:
        copy.cache = False  # an answer out of a cache would be neither judged nor held back
    return copy


def _prepared(model: Any, method: Method, args: Args, kwargs: Kwargs) -> tuple[Any, Send]:
    """Prepare a call without the run manager.

    Some models tell it their tokens themselves, before anyone could judge them, and the caller of
    the method tells it what was cleared.
    """
    given = dict(zip(("messages", "stop", "run_manager"), args, strict=False)) | kwargs
    given.pop("run_manager", None)
    messages = given.pop("messages")
    return messages, functools.partial(method, messages, **given)


_ASKED = (GenerationReader, _prepared)
# The methods of `BaseChatModel` that its own methods call.
_JUDGING: Judging = (
    ("_generate", Call(*_ASKED)),
    ("_agenerate", ACall(*_ASKED)),
    ("_stream", Stream(*_ASKED)),
    ("_astream", AsyncGenerating(*_ASKED)),
)
# Ways around `_stream`. Without them, the events that they give are made of its chunks.
_AROUND: Judging = (("_stream_chat_model_events", None), ("_astream_chat_model_events", None))


def _judging_methods(model: type[Any], base: type[Any]) -> Judging:
    # What the model has from the base is left to it: it calls the other methods, which judge.
    own = (each for each in _JUDGING if getattr(model, each[0]) is not getattr(base, each[0]))
    return tuple(own)
