"""LangChain 1.x: agents, chat models and chains.

pip install "tinyguardrail-sdk[langchain]"

    agent = create_agent(model, tools, middleware=[middleware(guard)])
    model = guard_model(model, guard)
    chain = retriever | runnable(guard, source="document") | prompt | guard_model(model, guard)

A guarded model judges its messages before it is asked, and holds back its tokens until they are
cleared, those too that callbacks, `stream_mode="messages"` and `astream_events` tell. It has no
cache. The middleware guards the model, what the agent was asked and has in its state, and the
results of tools.
"""

from __future__ import annotations

from typing import Any

from tinyguardrail_sdk.adapters._frameworks import require
from tinyguardrail_sdk.adapters._langchain_hooks import JUMPING, GuardHooks
from tinyguardrail_sdk.adapters._langchain_model import guarded
from tinyguardrail_sdk.adapters._langchain_runnable import Passing
from tinyguardrail_sdk.checker import Checker, as_source
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source


def guard_model(model: Any, guard: Checker, *, delay: Delay | None = None) -> Any:
    """Return a guarded copy of a chat model.

    Args:
        model: A `BaseChatModel`, also with tools or other arguments bound to it.
        guard: Who judges.
        delay: How much of a stream is held back.

    Raises:
        ImportError: LangChain is not installed.
        InputError: It is no chat model.
        GuardrailError: Another guard is on it already.
    """
    return guarded(model, guard, delay)


def middleware(
    guard: Checker,
    *,
    delay: Delay | None = None,
    tool_error: str | None = None,
    refusal: str | None = None,
) -> Any:
    """Return an `AgentMiddleware` with every hook; put it last, so that it sees what others send.

    Args:
        guard: Who judges.
        delay: How much of a stream is held back.
        tool_error: What the model reads in place of a blocked tool result, so that the agent goes
            on; by default the refusal, and without one `Blocked` is raised.
        refusal: What the agent answers in place of a blocked answer, or when what it was asked is
            blocked, and ends; blocked messages leave its history. By default `Blocked` is raised.

    Raises:
        ImportError: LangChain is not installed.
    """
    types = require("langchain.agents.middleware", "langchain")
    jumping = types.hook_config(can_jump_to=["end"])
    hooks = {name: jumping(getattr(GuardHooks, name)) for name in JUMPING}
    made = type("GuardMiddleware", (GuardHooks, types.AgentMiddleware), {"tools": [], **hooks})
    return made(guard, delay, tool_error, refusal)


def runnable(
    guard: Checker, *, source: Source | str = Source.USER, delay: Delay | None = None
) -> Any:
    """Return a `Runnable` that passes on, unchanged, what is cleared, and raises `Blocked` else.

    It takes texts, prompts, messages, documents, and lists and dictionaries of them. A stream of
    texts or of message chunks is held back; of anything else, it is gathered first.

    Args:
        guard: Who judges.
        source: Where plain texts come from; messages and documents say it themselves.
        delay: How much of a stream is held back.

    Raises:
        ImportError: LangChain is not installed.
    """
    runnables = require("langchain_core.runnables", "langchain")
    passing = Passing(guard, as_source(source), delay)
    return runnables.RunnableGenerator(passing.transform, passing.atransform, name="guard")
