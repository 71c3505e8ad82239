"""Guardrails of the OpenAI Agents SDK, made of what judges, and known by their guard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import require
from tinyguardrail_sdk.adapters._streams import plain
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.verdict import Verdict

_MARK = "__tinyguardrail_guard__"


def agent_guardrail(
    kind: str, guard: Checker, judge: Callable[[Any], Awaitable[Verdict | None]], **options: Any
) -> Any:
    """Return a guardrail of an agent.

    Args:
        kind: Its class.
        guard: Who judges, by which it is known.
        judge: Takes what the SDK gives it; a verdict triggers the tripwire, None does not.
        options: Of the class.

    Raises:
        ImportError: `openai-agents` is not installed.
    """
    agents = require("agents", "openai-agents")

    async def judged(context: Any, agent: Any, given: Any) -> Any:
        stop = await judge(given)
        return agents.GuardrailFunctionOutput(stop, tripwire_triggered=stop is not None)

    return _marked(getattr(agents, kind)(judged, name="tinyguardrail", **options), guard)


def tool_guardrail(
    kind: str, guard: Checker, told: Callable[[Any], Any], source: Source, message: str | None
) -> Any:
    """Return a guardrail of a tool.

    Args:
        kind: Its class.
        guard: Who judges.
        told: Takes what is judged from what the SDK gives it.
        source: Where that comes from.
        message: What the model reads in place of a result; of None, the tripwire is triggered.

    Raises:
        ImportError: `openai-agents` is not installed.
    """
    agents = require("agents", "openai-agents")
    output = agents.ToolGuardrailFunctionOutput

    async def judge(data: Any) -> Any:
        verdict = await guard.acheck(said(told(data)), source=source)
        if not verdict.blocked:
            return output.allow()
        if message is None:
            return output.raise_exception(verdict)
        return output.reject_content(message, verdict)

    return _marked(getattr(agents, kind)(judge, name="tinyguardrail"), guard)


def with_own(guardrail: Any, others: Iterable[Any]) -> list[Any]:
    """Return guardrails and one more, unless one of the same guard is among them."""
    guard = getattr(guardrail.guardrail_function, _MARK)
    known = [getattr(each.guardrail_function, _MARK, None) for each in others]
    return [*others, *([] if any(each is guard for each in known) else [guardrail])]


def said(value: Any) -> str:
    """Return what an agent or a tool said as a text."""
    return value_text(plain(value))


def _marked(guardrail: Any, guard: Checker) -> Any:
    """A guardrail that is known by its guard, also in copies of an agent."""
    setattr(guardrail.guardrail_function, _MARK, guard)
    return guardrail
