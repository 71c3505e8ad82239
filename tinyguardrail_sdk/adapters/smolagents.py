"""smolagents: models, tools and agents.

pip install "tinyguardrail-sdk[smolagents]"

    with wrap(CodeAgent(tools=[look], model=model), guard) as agent:
        agent.run("When do you open?")

Messages are judged before the model is asked, its answers before they are acted on, streams held
back until they are cleared, and the arguments and results of tools. `Blocked` out of a model ends a
run as the cause of an `AgentGenerationError`; out of a tool it is an error of that tool, which the
model reads in place of the result.
"""

from __future__ import annotations

import functools
from typing import Any, TypeVar

from tinyguardrail_sdk.adapters._frameworks import (
    Judging,
    Method,
    judging_copy,
    refuse,
    require,
)
from tinyguardrail_sdk.adapters._handle import MARK, Handle, handle_on
from tinyguardrail_sdk.adapters._judging import Args, Call, First, Kwargs, Send, Stream
from tinyguardrail_sdk.adapters._smolagents_messages import Reader
from tinyguardrail_sdk.adapters._tools import AnswerReader, ToolReader
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source

AgentT = TypeVar("AgentT")

_ANSWER = "final_answer"


def wrap(agent: AgentT, guard: Checker, *, delay: Delay | None = None) -> Handle[AgentT]:
    """Guard the model, the tools and the last answer of an agent and of those that it manages.

    Args:
        agent: A `CodeAgent`, `ToolCallingAgent`, or another `MultiStepAgent`.
        guard: Who judges.
        delay: How much of a stream is held back.

    Returns:
        What undoes it; a second time the same.

    Raises:
        ImportError: smolagents is not installed.
        InputError: It is no agent.
        GuardrailError: Another guard is on it, on its model or on one of its tools.
    """
    if not isinstance(agent, require("smolagents", "smolagents").MultiStepAgent):
        raise InputError(f"{type(agent).__name__} is no agent of smolagents")
    if (known := handle_on(agent, guard, delay)) is not None:
        return known
    handle = Handle(agent, guard, delay)
    handle.put(agent, MARK, handle)
    try:
        _carry_out(handle, agent)
    except BaseException:  # half a guard would look like a whole one
        handle.undo()
        raise
    return handle


def guard_model(model: Any, guard: Checker, *, delay: Delay | None = None) -> Any:
    """Return a guarded copy of a model.

    Raises:
        InputError: It has no `generate`.
        GuardrailError: Another guard is on it already.
    """
    if not hasattr(model, "generate"):
        raise InputError(f"{type(model).__name__} is no model of smolagents")
    present = tuple(each for each in _MODEL if hasattr(model, each[0]))
    return judging_copy(model, guard, delay, present)


def guard_tool(tool: Any, guard: Checker) -> Any:
    """Return a guarded copy of a tool, for agents that run it in this process.

    Raises:
        GuardrailError: Another guard is on it already.
    """
    reader = AnswerReader if tool.name == _ANSWER else ToolReader
    return judging_copy(tool, guard, None, (("__call__", Call(reader, _arguments)),))


def _carry_out(handle: Handle[Any], agent: Any) -> None:
    guard = handle.guard
    tools = {name: guard_tool(tool, guard) for name, tool in agent.tools.items()}
    checks = [*(agent.final_answer_checks or ()), functools.partial(_clears, guard)]
    handle.put(agent, "model", guard_model(agent.model, guard, delay=handle.delay))
    handle.put(agent, "tools", tools)
    handle.put(agent, "final_answer_checks", checks)
    for managed in agent.managed_agents.values():
        _carry_out(handle, managed)


def _clears(guard: Checker, answer: Any, memory: Any, **_: Any) -> bool:
    refuse(guard, [(Source.OUTPUT, str(answer))])
    return True


def _arguments(tool: Any, method: Method, args: Args, kwargs: Kwargs) -> tuple[Any, Send]:
    given = [*args, *(kwargs[name] for name in kwargs if name in tool.inputs)]
    return given, functools.partial(method, *args, **kwargs)


_MESSAGES = First(("messages",))
_MODEL: Judging = (
    ("generate", Call(Reader, _MESSAGES)),
    ("generate_stream", Stream(Reader, _MESSAGES)),
)
