"""CrewAI: guarded LLMs and tools, and a guardrail for tasks.

pip install "tinyguardrail-sdk[crewai]"

    llm = guard_llm(LLM("openai/gpt-5-mini"), guard)
    agent = Agent(..., llm=llm, tools=[guard_tool(look, guard)])
    task = Task(..., agent=agent, guardrail=task_guardrail(guard))

A guarded LLM judges its messages, and their files that are plain text, before it is asked, and its
answer before an agent acts on it; PDF and the like, and files by address, are refused. The hooks of
CrewAI (`before_llm_call` and the like) are not used: it swallows what they raise, and goes on.
Tokens are told on its event bus before anyone could judge them, so a guarded LLM that streams is
refused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tinyguardrail_sdk.adapters._crewai_messages import Reader
from tinyguardrail_sdk.adapters._frameworks import (
    Judging,
    Method,
    judge_of,
    judging_copy,
    refuse,
    require,
)
from tinyguardrail_sdk.adapters._judging import ACall, Args, Call, Kwargs, Send, by_name, every
from tinyguardrail_sdk.adapters._tools import ToolReader
from tinyguardrail_sdk.calls import guarded_call
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import Blocked, GuardrailError, InputError
from tinyguardrail_sdk.labels import Source

_EXTRA = "crewai"


def guard_llm(llm: Any, guard: Checker) -> Any:
    """Return a guarded copy of an LLM.

    Args:
        llm: An `LLM`, or another `BaseLLM`, that does not stream.
        guard: Who judges.

    Raises:
        ImportError: CrewAI is not installed.
        InputError: It is no LLM, but the name of one, say.
        GuardrailError: Another guard is on it already.
    """
    if not isinstance(llm, require("crewai", _EXTRA).BaseLLM):
        raise InputError(f"{type(llm).__name__} is no LLM of CrewAI; make one with LLM(model)")
    return judging_copy(llm, guard, None, _LLM)


def guard_tool(tool: Any, guard: Checker) -> Any:
    """Return a guarded copy of a tool; what it raises, the model reads in place of a result.

    Args:
        tool: A `BaseTool`, also one that the decorator `tool` made.
        guard: Who judges the arguments, and the result.

    Raises:
        ImportError: CrewAI is not installed.
        InputError: It is no tool.
        GuardrailError: Another guard is on it already.
    """
    if not isinstance(tool, require("crewai.tools", _EXTRA).BaseTool):
        raise InputError(f"{type(tool).__name__} is no tool of CrewAI")
    return judging_copy(tool, guard, None, _TOOL)


def task_guardrail(guard: Checker) -> Callable[[Any], tuple[bool, Any]]:
    """Return a guardrail for a `Task` or an `Agent`: a blocked output is made anew.

    After as many attempts as the task allows, CrewAI raises an error of its own.
    """

    def judge(output: Any) -> tuple[bool, Any]:
        try:
            refuse(guard, [(Source.OUTPUT, output.raw)])
        except Blocked as error:
            return False, str(error)
        return True, output.raw

    judge.__annotations__.clear()  # CrewAI compares them as objects, and here they are texts
    return judge


def _prepared(llm: Any, method: Any, args: Args, kwargs: Kwargs) -> tuple[Any, Send]:
    """Prepare a call of an LLM, with the functions that it would run by itself guarded."""
    streams = llm._effective_stream() if hasattr(llm, "_effective_stream") else llm.stream
    if streams:
        raise GuardrailError(
            "its tokens would be told before anyone could judge them; make the LLM, and the crew, "
            "with stream=False"
        )
    # For the copy itself, not for a view: stop words of a call are found by its id.
    own = functools.partial(method.func.__wrapped__, llm)
    given, _ = by_name(llm, own, args, kwargs)
    functions = given.get("available_functions")
    if functions:
        used = functools.partial(_used, judge_of(llm)[0])
        guarded = {name: functools.partial(used, each) for name, each in functions.items()}
        given["available_functions"] = guarded
    return given, functools.partial(own, **given)


def _used(guard: Checker, function: Method, *args: Any, **kwargs: Any) -> Any:
    request, send = every(None, function, args, kwargs)
    return guarded_call(guard, ToolReader(), request, send)


_LLM: Judging = (("call", Call(Reader, _prepared)), ("acall", ACall(Reader, _prepared)))
_TOOL: Judging = (("_run", Call(ToolReader, every)), ("_arun", ACall(ToolReader, every)))
