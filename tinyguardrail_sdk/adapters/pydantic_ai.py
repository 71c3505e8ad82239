"""Pydantic AI: guarded models, and a capability for agents.

pip install "tinyguardrail-sdk[pydantic-ai]"

    agent = Agent("openai:gpt-5-mini", capabilities=[capability(guard)])
    agent = Agent(guard_model(OpenAIResponsesModel("gpt-5-mini"), guard))

A guarded model judges its messages before it is asked, its answer before anyone sees it, and holds
streams back until they are cleared, with what the stream says it has received so far. The
capability does that to whatever model serves a request, and judges what tools return.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import arefuse, judging_copy, require
from tinyguardrail_sdk.adapters._pydantic_ai_messages import tool_result
from tinyguardrail_sdk.adapters._pydantic_ai_model import JUDGING
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import Blocked
from tinyguardrail_sdk.holdback import Delay


def guard_model(model: Any, guard: Checker, *, delay: Delay | None = None) -> Any:
    """Return a guarded copy of a model; batches and realtime sessions of it are not judged.

    Args:
        model: A `Model`, or the name of one.
        guard: Who judges.
        delay: How much of a stream is held back.

    Raises:
        ImportError: Pydantic AI is not installed.
        GuardrailError: Another guard is on it already.
    """
    models = require("pydantic_ai.models", "pydantic-ai")
    return judging_copy(models.infer_model(model), guard, delay, JUDGING)


def capability(guard: Checker, *, delay: Delay | None = None, tool_error: str | None = None) -> Any:
    """Return a capability for the `capabilities` of an `Agent`; put it last.

    Args:
        guard: Who judges.
        delay: How much of a stream is held back.
        tool_error: What the model reads in place of a blocked tool result, so that the run goes on;
            by default `Blocked` is raised.

    Raises:
        ImportError: Pydantic AI is not installed, or has no capabilities yet.
    """
    base = require("pydantic_ai.capabilities", "pydantic-ai").AbstractCapability
    made = type("GuardCapability", (_Hooks, base), {})
    return made(guard, delay, tool_error)


class _Hooks:
    """The hooks of the capability."""

    def __init__(self, guard: Checker, delay: Delay | None, tool_error: str | None) -> None:
        self._guard = guard
        self._delay = delay
        self._tool_error = tool_error

    async def before_model_request(self, ctx: Any, request_context: Any) -> Any:
        model = guard_model(request_context.model, self._guard, delay=self._delay)
        return dataclasses.replace(request_context, model=model)

    async def after_tool_execute(
        self, ctx: Any, *, call: Any, tool_def: Any, args: Any, result: Any
    ) -> Any:
        try:
            await arefuse(self._guard, tool_result(result))
        except Blocked:
            if self._tool_error is None:
                raise
            return self._tool_error
        return result
