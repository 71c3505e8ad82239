"""The hooks of the middleware beside its model: what other middleware does, and how a run ends."""

import asyncio
from typing import Any

import pytest

from tests.frameworks.langchain_fakes import CALL, WHY, Broken, every_way, look, made, messages
from tests.frameworks.texts import ANSWER, ATTACK, QUESTION
from tinyguardrail_sdk import Blocked, Guard
from tinyguardrail_sdk.adapters.langchain import middleware
from tinyguardrail_sdk.testing import ScriptedClassifier

agents: Any = pytest.importorskip("langchain.agents", reason=WHY)
hooks: Any = pytest.importorskip("langchain.agents.middleware", reason=WHY)
savers: Any = pytest.importorskip("langgraph.checkpoint.memory", reason=WHY)

REFUSAL = "That I cannot do."
LOOKING = messages.AIMessage("", tool_calls=[CALL])


def agent(model: Any, guard: Guard, *others: Any, **options: Any) -> Any:
    """An agent whose guard stands behind other middleware, as it should."""
    made_with = {key: options.pop(key) for key in ("tools", "checkpointer") if key in options}
    behind = middleware(guard, **options)
    return agents.create_agent(model, middleware=[*others, behind], **made_with)


def asking(text: str) -> Any:
    return {"messages": [("human", text)]}


class Remembering(hooks.AgentMiddleware):  # type: ignore[misc]
    """Puts what is remembered of the user before each call of the model."""

    def before_model(self, state: Any, runtime: Any) -> Any:
        return {"messages": [messages.HumanMessage(f"I said: {ATTACK}", id="memory")]}


class Answering(hooks.AgentMiddleware):  # type: ignore[misc]
    """Answers in place of the model."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return self.answer

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        return self.answer


class Retrying(hooks.AgentMiddleware):  # type: ignore[misc]
    """Asks the model once more where there was no connection."""

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        try:
            return handler(request)
        except OSError:
            return handler(request)

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        try:
            return await handler(request)
        except OSError:
            return await handler(request)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("name", ["before_agent", "before_model", "after_model", "after_agent"])
def test_every_hook_of_a_state_judges_it(guard: Guard, name: str, asynchronous: bool) -> None:
    def answer(text: str, **options: Any) -> Any:
        state = {"messages": [messages.HumanMessage(text, id="1")]}
        hook = getattr(middleware(guard, **options), f"a{name}" if asynchronous else name)
        return asyncio.run(hook(state, None)) if asynchronous else hook(state, None)

    assert answer(QUESTION) is None
    with pytest.raises(Blocked):
        answer(ATTACK)
    ended = answer(ATTACK, refusal=REFUSAL)
    assert [each.content for each in ended["messages"]] == ["(blocked)", REFUSAL]
    assert ended["messages"][0].id == "1"
    assert ended["jump_to"] == "end"


@every_way
def test_an_attack_in_a_message_of_other_middleware_is_not_sent(guard: Guard, call: Any) -> None:
    model = made(ANSWER)
    with pytest.raises(Blocked):
        call(agent(model, guard, Remembering()), asking(QUESTION))
    assert model.asked == []


@every_way
@pytest.mark.parametrize("refusal", [None, REFUSAL])
def test_a_tool_with_an_attack_of_other_middleware_is_not_called(
    guard: Guard, call: Any, refusal: str | None
) -> None:
    def look(city: str) -> str:
        """Look something up."""
        looked.append(city)
        return "found"

    looked: list[str] = []
    answer = messages.AIMessage("", tool_calls=[CALL | {"args": {"city": ATTACK}}])
    judged = agent(made(), guard, Answering(answer), tools=[look], refusal=refusal)
    if refusal is None:
        with pytest.raises(Blocked):
            call(judged, asking(QUESTION))
    else:
        judged.invoke(asking(QUESTION))
    assert looked == []


@every_way
def test_a_blocked_question_is_refused(guard: Guard, call: Any) -> None:
    model = made(ANSWER)
    said = str(call(agent(model, guard, refusal=REFUSAL), asking(ATTACK)))
    assert REFUSAL in said
    assert "zebra" not in said
    assert model.asked == []


@every_way
def test_a_blocked_memory_is_refused(guard: Guard, call: Any) -> None:
    model = made(ANSWER)
    judged = agent(model, guard, Remembering(), refusal=REFUSAL)
    assert REFUSAL in str(call(judged, asking(QUESTION)))
    said = [each.content for each in judged.invoke(asking(QUESTION))["messages"]]
    assert said == [QUESTION, "(blocked)", REFUSAL]
    assert model.asked == []


@every_way
def test_an_attack_in_the_answer_is_refused_and_not_told(guard: Guard, call: Any) -> None:
    judged = agent(made(f"{ATTACK} and more"), guard, refusal=REFUSAL)
    said = str(call(judged, asking(QUESTION)))
    assert REFUSAL in said
    assert "zebra" not in said
    judged = agent(made(f"{ATTACK} and more"), guard, refusal=REFUSAL)
    said = str(list(judged.stream(asking(QUESTION), stream_mode="messages")))
    assert REFUSAL in said
    assert "zebra" not in said


@every_way
def test_a_blocked_answer_of_other_middleware_is_replaced(guard: Guard, call: Any) -> None:
    other = Answering(messages.AIMessage(ATTACK))
    with pytest.raises(Blocked):
        call(agent(made(), guard, other), asking(QUESTION))
    state = agent(made(), guard, other, refusal=REFUSAL).invoke(asking(QUESTION))
    assert [each.content for each in state["messages"]] == [QUESTION, REFUSAL]


@every_way
def test_the_model_reads_the_refusal_for_a_blocked_result(guard: Guard, call: Any) -> None:
    model = made(messages.AIMessage("", tool_calls=[CALL | {"args": {"city": "Rome"}}]), ANSWER)
    call(agent(model, guard, tools=[look], refusal=REFUSAL), asking(QUESTION))
    assert model.asked[1][-1].content == REFUSAL


@every_way
def test_a_conversation_goes_on_after_a_refusal(guard: Guard, call: Any) -> None:
    model, thread = made(ANSWER), {"configurable": {"thread_id": "1"}}
    judged = agent(model, guard, refusal=REFUSAL, checkpointer=savers.InMemorySaver())
    call(judged, asking(ATTACK), thread)
    assert ANSWER in str(call(judged, asking(QUESTION), thread))
    assert [each.content for each in model.asked[0]] == ["(blocked)", REFUSAL, QUESTION]


def test_what_is_left_of_a_conversation_has_calls_and_results_in_pairs(guard: Guard) -> None:
    def ai(text: str, number: str) -> Any:
        call = CALL | {"id": f"call_{number}"}
        return messages.AIMessage(text, tool_calls=[call], id=number)

    found = messages.ToolMessage("In France.", tool_call_id="call_1", id="2")
    asked = messages.HumanMessage(QUESTION, id="0")
    state = {"messages": [asked, ai(ATTACK, "1"), found, ai("", "3")]}
    blocked, refusal = middleware(guard, refusal=REFUSAL).after_model(state, None)["messages"]
    assert blocked.id == "1"
    assert blocked.content == "(blocked)"
    assert [(call["id"], call["args"]) for call in blocked.tool_calls] == [("call_1", {})]
    assert (refusal.id, refusal.content, refusal.tool_calls) == ("3", REFUSAL, [])


@every_way
def test_every_text_is_judged_once(guard: Guard, classifier: ScriptedClassifier, call: Any) -> None:
    class Flaky(Broken):
        def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            self.asked.append(messages)
            if len(self.asked) % 2:
                return super()._generate(messages, *args, **kwargs)
            return super(Broken, self)._generate(messages, *args, **kwargs)

    model = Flaky(messages=iter([LOOKING, ANSWER]), asked=[])
    call(agent(model, guard, Retrying(), tools=[look], refusal=REFUSAL), asking(QUESTION))
    texts = [text for text, _ in classifier.calls]
    assert {QUESTION, ANSWER, "It is in France."} <= {*texts}
    assert len(texts) == len({*texts})
