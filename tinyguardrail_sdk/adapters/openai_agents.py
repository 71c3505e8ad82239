"""OpenAI Agents SDK: guardrails for agents and tools, and guarded models.

pip install "tinyguardrail-sdk[openai-agents]"

    agent = guard_agent(Agent(name="helper", tools=[look]), guard)
    Runner.run_sync(agent, question, run_config=RunConfig(model_provider=guard_provider(guard)))

The guardrails trip the wires of the SDK, with the verdict as `output_info`, and end before the
model is asked: they never run beside it. They see what the first agent is asked, the last answer,
and function tools. A guarded model sees every request and answer, those after a handoff and with
results of hosted tools too, raises `Blocked`, and holds streams back until they are cleared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import judging_copy, require
from tinyguardrail_sdk.adapters._openai_agents_model import JUDGING
from tinyguardrail_sdk.adapters._streams import plain
from tinyguardrail_sdk.checker import Checker, first_stop
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source

_EXTRA = "openai-agents"
_MARK = "__tinyguardrail_guard__"


def input_guardrail(guard: Checker) -> Any:
    """Return an `InputGuardrail` that judges what an agent is asked, before its model is.

    Raises:
        ImportError: `openai-agents` is not installed.
    """
    agents = require("agents", _EXTRA)

    async def judge(context: Any, agent: Any, given: Any) -> Any:
        verdicts = await guard.acheck_messages([given] if isinstance(given, str) else given)
        stop = first_stop(verdicts)
        return agents.GuardrailFunctionOutput(stop, tripwire_triggered=stop is not None)

    made = agents.InputGuardrail(judge, name="tinyguardrail", run_in_parallel=False)
    return _marked(made, guard)


def output_guardrail(guard: Checker) -> Any:
    """Return an `OutputGuardrail` that judges the last answer of an agent.

    Raises:
        ImportError: `openai-agents` is not installed.
    """
    agents = require("agents", _EXTRA)

    async def judge(context: Any, agent: Any, answer: Any) -> Any:
        verdict = await guard.acheck(_text(answer), source=Source.OUTPUT)
        stop = verdict if verdict.blocked else None
        return agents.GuardrailFunctionOutput(stop, tripwire_triggered=stop is not None)

    return _marked(agents.OutputGuardrail(judge, name="tinyguardrail"), guard)


def tool_input_guardrail(guard: Checker, *, message: str | None = None) -> Any:
    """Return a `ToolInputGuardrail` that judges the arguments of a call before the tool runs.

    Args:
        guard: Who judges.
        message: What the model reads in place of a result; by default the wire is tripped.

    Raises:
        ImportError: `openai-agents` is not installed.
    """
    agents = require("agents", _EXTRA)

    async def judge(data: Any) -> Any:
        return await _judge_tool(guard, data.context.tool_arguments, Source.OUTPUT, message)

    return _marked(agents.ToolInputGuardrail(judge, name="tinyguardrail"), guard)


def tool_output_guardrail(guard: Checker, *, message: str | None = None) -> Any:
    """Return a `ToolOutputGuardrail` that judges what a tool returned; as the one before."""
    agents = require("agents", _EXTRA)

    async def judge(data: Any) -> Any:
        return await _judge_tool(guard, _text(data.output), Source.TOOL, message)

    return _marked(agents.ToolOutputGuardrail(judge, name="tinyguardrail"), guard)


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
    agents = require("agents", _EXTRA)
    before = tool_input_guardrail(guard, message=tool_message)
    after = tool_output_guardrail(guard, message=tool_message)

    def guarded(tool: Any) -> Any:
        if not isinstance(tool, agents.FunctionTool):
            return tool
        return dataclasses.replace(
            tool,
            tool_input_guardrails=_with(before, tool.tool_input_guardrails or ()),
            tool_output_guardrails=_with(after, tool.tool_output_guardrails or ()),
        )

    named = not isinstance(agent.model, agents.Model)
    return agent.clone(
        input_guardrails=_with(input_guardrail(guard), agent.input_guardrails),
        output_guardrails=_with(output_guardrail(guard), agent.output_guardrails),
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
    if not isinstance(model, require("agents", _EXTRA).Model):
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
    agents = require("agents", _EXTRA)
    inner = agents.MultiProvider() if provider is None else provider

    def get_model(self: Any, model_name: str | None) -> Any:
        return guard_model(inner.get_model(model_name), guard, delay=delay)

    async def aclose(self: Any) -> None:
        await inner.aclose()

    methods = {"get_model": get_model, "aclose": aclose}
    return type("GuardedProvider", (agents.ModelProvider,), methods)()


def _marked(guardrail: Any, guard: Checker) -> Any:
    """A guardrail that is known by its guard, also in copies of an agent."""
    setattr(guardrail.guardrail_function, _MARK, guard)
    return guardrail


def _with(guardrail: Any, others: Iterable[Any]) -> list[Any]:
    """Guardrails and one more, unless one of the same guard is among them."""
    guard = getattr(guardrail.guardrail_function, _MARK)
    known = [getattr(each.guardrail_function, _MARK, None) for each in others]
    return [*others, *([] if any(each is guard for each in known) else [guardrail])]


async def _judge_tool(guard: Checker, text: str, source: Source, message: str | None) -> Any:
    output = require("agents", _EXTRA).ToolGuardrailFunctionOutput
    verdict = await guard.acheck(text, source=source)
    if not verdict.blocked:
        return output.allow()
    if message is None:
        return output.raise_exception(verdict)
    return output.reject_content(message, verdict)


def _text(value: Any) -> str:
    return value_text(plain(value))
