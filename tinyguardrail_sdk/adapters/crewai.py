"""CrewAI: guarded LLMs and tools, and a guardrail for tasks.

pip install "tinyguardrail-sdk[crewai]"

    llm = guard_llm(LLM("openai/gpt-5-mini"), guard)
    agent = Agent(..., llm=llm, tools=[guard_tool(look, guard)])
    task = Task(..., agent=agent, guardrail=task_guardrail(guard))

A guarded LLM judges its messages before it is asked, and its answer before an agent acts on it.
The hooks of CrewAI (`before_llm_call` and the like) are not used: it swallows what they raise, and
goes on. Tokens are told on its event bus before anyone could judge them, so a guarded LLM that
streams is refused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._engine import _named
from tinyguardrail_sdk.adapters._frameworks import (
    Judging,
    Method,
    arefuse,
    judge_of,
    judging_copy,
    refuse,
    require,
)
from tinyguardrail_sdk.adapters._streams import plain
from tinyguardrail_sdk.calls import guarded_acall, guarded_call
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import Blocked, GuardrailError, InputError
from tinyguardrail_sdk.labels import Source

_EXTRA = "crewai"
# Where a tool call of an answer has its arguments, by provider.
_ARGUMENTS = ("arguments", "args", "input")
_NO_TEXT = ("image/", "audio/", "video/")


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


def _call(original: Method) -> Method:
    own = _own(original)

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, _ = judge_of(self)
        method = functools.partial(own, self)
        given = _request(self, guard, method, args, kwargs)
        return guarded_call(guard, _Reader(), given, functools.partial(method, **given))

    return call


def _acall(original: Method) -> Method:
    own = _own(original)

    @functools.wraps(original)
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, _ = judge_of(self)
        method = functools.partial(own, self)
        given = _request(self, guard, method, args, kwargs)
        send = functools.partial(method, **given)
        return await guarded_acall(guard, _Reader(), given, send)

    return call


def _use(original: Method) -> Method:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, _ = judge_of(self)
        return _used(guard, functools.partial(original, self), *args, **kwargs)

    return call


def _ause(original: Method) -> Method:
    @functools.wraps(original)
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, _ = judge_of(self)
        await arefuse(guard, _arguments(args, kwargs))
        result = await original(self, *args, **kwargs)
        await arefuse(guard, [(Source.TOOL, str(result))])
        return result

    return call


_LLM: Judging = (("call", _call), ("acall", _acall))
_TOOL: Judging = (("_run", _use), ("_arun", _ause))


def _own(original: Method) -> Method:
    """The method for the copy itself, not for a view: stop words of a call are found by its id."""
    own: Method = original.__wrapped__  # type: ignore[attr-defined]
    return own


def _request(
    llm: Any, guard: Checker, method: Method, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """The arguments of a call by name, with the functions that the LLM itself would run guarded."""
    streams = llm._effective_stream() if hasattr(llm, "_effective_stream") else llm.stream
    if streams:
        raise GuardrailError(
            "its tokens would be told before anyone could judge them; make the LLM, and the crew, "
            "with stream=False"
        )
    given = _named(method, args, kwargs)
    functions = given.get("available_functions")
    if functions:
        guarded = {name: functools.partial(_used, guard, each) for name, each in functions.items()}
        given["available_functions"] = guarded
    return given


def _used(guard: Checker, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    refuse(guard, _arguments(args, kwargs))
    result = function(*args, **kwargs)
    refuse(guard, [(Source.TOOL, str(result))])  # as the agent shows it to the model
    return result


def _arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[tuple[Source, str]]:
    return [(Source.OUTPUT, value_text(plain(each))) for each in (*args, *kwargs.values())]


class _Reader:
    """Reads messages, and answers: texts, tool calls of any provider, and models."""

    def request(self, given: Mapping[str, Any]) -> Iterable[Any]:
        asked = given["messages"]
        for each in [asked] if isinstance(asked, str) else asked:
            if isinstance(each, Mapping):
                _refuse_files(each.get("files") or {})
            yield plain(each)

    def response(self, answer: Any) -> Iterator[Any]:
        said = plain(answer)
        for each in said if isinstance(said, list) else [said]:
            yield Source.OUTPUT, value_text(_said(each))

    def chunk(self, chunk: Any) -> Iterable[tuple[Hashable, str]]:
        raise NotImplementedError  # none comes here: an LLM that streams is refused


def _refuse_files(files: Mapping[str, Any]) -> None:
    for file in files.values():
        if not str(getattr(file, "content_type", "")).startswith(_NO_TEXT):
            raise InputError("a file cannot be read here; check its text by itself, and send that")


def _said(value: Any) -> Any:
    """The arguments of a tool call; anything else as it is."""
    inner = value.get("function", value) if isinstance(value, Mapping) else value
    if isinstance(inner, Mapping):
        found = [inner[name] for name in _ARGUMENTS if inner.get(name) is not None]
        if len(found) == 1 and "name" in inner:
            return found[0]
    return value
