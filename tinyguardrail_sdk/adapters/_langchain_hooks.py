"""The hooks of the LangChain middleware, each synchronous and asynchronous.

What an agent was asked is judged before it begins, what is in its state around each call of the
model, and what tools return before it is in the state. The model is guarded besides, for only it
can hold tokens back, and other middleware may change what is sent. A guard remembers what it has
judged, so that the network is not asked twice about what is seen at several places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import arefuse, refuse, require
from tinyguardrail_sdk.adapters._langchain_messages import blanked, tool_results
from tinyguardrail_sdk.adapters._langchain_model import guarded
from tinyguardrail_sdk.checker import Checker, first_stop
from tinyguardrail_sdk.errors import Blocked
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.messages import MessageVerdict

# Those that may end the run.
JUMPING = ("before_agent", "before_model", "after_model")


class GuardHooks:
    """Stands before `AgentMiddleware` among the bases of a class."""

    def __init__(
        self, guard: Checker, delay: Delay | None, tool_error: str | None, refusal: str | None
    ) -> None:
        self._guard = guard
        self._delay = delay
        self._tool_error = refusal if tool_error is None else tool_error
        self._refusal = refusal
        self._model: tuple[Any, Any] = (None, None)

    def before_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Judge what the agent was asked."""
        return self._judged(state)

    async def abefore_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Judge what the agent was asked."""
        return await self._ajudged(state)

    def before_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Judge what others have put into the state since."""
        return self._judged(state)

    async def abefore_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Judge what others have put into the state since."""
        return await self._ajudged(state)

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        """Guard the model."""
        try:
            return handler(request.override(model=self._guarded(request.model)))
        except Blocked as error:
            return self._answer(error)

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        """Guard the model."""
        try:
            return await handler(request.override(model=self._guarded(request.model)))
        except Blocked as error:
            return self._answer(error)

    def after_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Judge what others have made of the answer, before its tools are called."""
        return self._judged(state)

    async def aafter_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Judge what others have made of the answer, before its tools are called."""
        return await self._ajudged(state)

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        """Judge what a tool returned."""
        result = handler(request)
        try:
            refuse(self._guard, tool_results(result))
        except Blocked as error:
            return self._result(request, error)
        return result

    async def awrap_tool_call(self, request: Any, handler: Any) -> Any:
        """Judge what a tool returned."""
        result = await handler(request)
        try:
            await arefuse(self._guard, tool_results(result))
        except Blocked as error:
            return self._result(request, error)
        return result

    def after_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Judge what the agent ends with."""
        return self._judged(state)

    async def aafter_agent(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        """Judge what the agent ends with."""
        return await self._ajudged(state)

    def _guarded(self, model: Any) -> Any:
        known, copy = self._model
        if known is not model:
            copy = guarded(model, self._guard, self._delay)
            self._model = model, copy
        return copy

    def _judged(self, state: Any) -> dict[str, Any] | None:
        messages = state["messages"]
        return self._ended(messages, self._guard.check_messages(messages))

    async def _ajudged(self, state: Any) -> dict[str, Any] | None:
        messages = state["messages"]
        return self._ended(messages, await self._guard.acheck_messages(messages))

    def _ended(
        self, messages: Sequence[Any], verdicts: Sequence[MessageVerdict]
    ) -> dict[str, Any] | None:
        """Return what ends the run where a message is blocked: it must not be in the next one."""
        stop = first_stop(verdicts)
        if stop is None:
            return None
        answer, last = self._answer(Blocked(stop)), messages[-1]
        found = [each for each in verdicts if each.verdict.blocked]
        blocked = {index for each in found for index in (each.message, *each.joined)}
        # It stands in the place of a last answer that is blocked, or whose calls nothing answers.
        if last.type == "ai" and (len(messages) - 1 in blocked or last.tool_calls):
            answer.id = last.id
            blocked.discard(len(messages) - 1)
        changed = [blanked(messages[index]) for index in sorted(blocked)]
        return {"messages": [*changed, answer], "jump_to": "end"}

    def _answer(self, error: Blocked) -> Any:
        if self._refusal is None:
            raise error
        return require("langchain_core.messages", "langchain").AIMessage(self._refusal)

    def _result(self, request: Any, error: Blocked) -> Any:
        if self._tool_error is None:
            raise error
        call = request.tool_call
        message = require("langchain_core.messages", "langchain").ToolMessage
        return message(self._tool_error, tool_call_id=call["id"], name=call["name"], status="error")
