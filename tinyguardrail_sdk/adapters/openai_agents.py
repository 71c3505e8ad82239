"""OpenAI Agents SDK: guardrails for agents and tools, and guarded models.

pip install "tinyguardrail-sdk[openai-agents]"

    agent = guard_agent(Agent(name="helper", tools=[look]), guard)
    Runner.run_sync(agent, question, run_config=RunConfig(model_provider=guard_provider(guard)))

The guardrails trigger the tripwires of the SDK, with the verdict as `output_info`, and end before
the model is asked: they never run beside it. They see what the first agent is asked, the last
answer, and function tools. A guarded model sees every request and answer, those after a handoff and
with results of hosted tools too, raises `Blocked`, and holds streams back until they are cleared.
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import judging_copy, require
from tinyguardrail_sdk.adapters._openai_agents_guardrails import (
    agent_guardrail,
    said,
    tool_guardrail,
    with_own,
)
from tinyguardrail_sdk.adapters._openai_agents_model import JUDGING
from tinyguardrail_sdk.checker import Checker, first_stop
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.verdict import Verdict


def input_guardrail(guard: Checker) -> Any:
    """Return an `InputGuardrail` that judges what an agent is asked, before its model is.

    Raises:
        ImportError: `openai-agents` is not installed.
    """

    async def judge(given: Any) -> Verdict | None:
        messages = [given] if isinstance(given, str) else given
        return first_stop(await guard.acheck_messages(messages))

    return agent_guardrail("InputGuardrail", guard, judge, run_in_parallel=False)


def output_guardrail(guard: Checker) -> Any:
    """Return an `OutputGuardrail` that judges the last answer of an agent.

    Raises:
        ImportError: `openai-agents` is not installed.
    """

    async def judge(answer: Any) -> Verdict | None:
        verdict = await guard.acheck(said(answer), source=Source.OUTPUT)
        return verdict if verdict.blocked else None

    return agent_guardrail("OutputGuardrail", guard, judge)


def tool_input_guardrail(guard: Checker, *, message: str | None = None) -> Any:
    """Return a `ToolInputGuardrail` that judges the arguments of a call before the tool runs.

    Args:
        guard: Who judges.
        message: What the model reads in place of a result; by default the tripwire is triggered.

    Raises:
        ImportError: `openai-agents` is not installed.
    """
    arguments = attrgetter("context.tool_arguments")
    return tool_guardrail("ToolInputGuardrail", guard, arguments, Source.OUTPUT, message)


def tool_output_guardrail(guard: Checker, *, message: str | None = None) -> Any:
    """Return a `ToolOutputGuardrail` that judges what a tool returned; as the one before."""
    result = attrgetter("output")
    return tool_guardrail("ToolOutputGuardrail", guard, result, Source.TOOL, message)


def guard_agent(
    agent: Any, guard: Checker, *, delay: Delay | None = None, tool_message: str | None = None
) -> Any:
    """Return a copy of an agent with all four guardrails, and its model guarded.

    What this guard judges already gets no second guardrail. Of a model that is only named, guard
    the provider. Agents that it hands off to are not changed.

    Args:
        agent: An `Agent`.
        guard: Who judges.
        delay: How much of a stream is held back.
        tool_message: As `message` of the guardrails of tools.

    Raises:
        ImportError: `openai-agents` is not installed.
    """
    agents = require("agents", "openai-agents")
    before = tool_input_guardrail(guard, message=tool_message)
    after = tool_output_guardrail(guard, message=tool_message)

    def guarded(tool: Any) -> Any:
        if not isinstance(tool, agents.FunctionTool):
            return tool
        return dataclasses.replace(
            tool,
            tool_input_guardrails=with_own(before, tool.tool_input_guardrails or ()),
            tool_output_guardrails=with_own(after, tool.tool_output_guardrails or ()),
        )

    named = not isinstance(agent.model, agents.Model)
    return agent.clone(
        input_guardrails=with_own(input_guardrail(guard), agent.input_guardrails),
        output_guardrails=with_own(output_guardrail(guard), agent.output_guardrails),
        tools=[guarded(tool) for tool in agent.tools],
        model=agent.model if named else guard_model(agent.model, guard, delay=delay),
    )


def guard_model(model: Any, guard: Checker, *, delay: Delay | None = None) -> Any:
    """Return a guarded copy of a `Model`.

    Args:
        model: Any model of the SDK, with what it has connected to.
        guard: Who judges; blocked requests and answers raise `Blocked`.
        delay: How much of a stream is held back.

    Raises:
        ImportError: `openai-agents` is not installed.
        InputError: It is no model, but the name of one, say: guard the provider then.
        GuardrailError: Another guard is on it already.
    """
    if not isinstance(model, require("agents", "openai-agents").Model):
        raise InputError(
            f"{type(model).__name__} is no Model of the Agents SDK; of a model that is only named, "
            "guard the provider with guard_provider(guard)"
        )
    return judging_copy(model, guard, delay, JUDGING)


def guard_provider(guard: Checker, provider: Any = None, *, delay: Delay | None = None) -> Any:
    """Return a `ModelProvider` that guards every model of another one, by default `MultiProvider`.

    Raises:
        ImportError: `openai-agents` is not installed.
    """
    agents = require("agents", "openai-agents")
    inner = agents.MultiProvider() if provider is None else provider

    def get_model(self: Any, model_name: str | None) -> Any:
        return guard_model(inner.get_model(model_name), guard, delay=delay)

    async def aclose(self: Any) -> None:
        await inner.aclose()

    methods = {"get_model": get_model, "aclose": aclose}
    return type("GuardedProvider", (agents.ModelProvider,), methods)()
