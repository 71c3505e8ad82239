from typing import Any

import pytest

from tests.frameworks.langchain_fakes import CALL, WHY, Broken, every_way, look, made, messages
from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, CheckFailed, Guard
from tinyguardrail_sdk.adapters.langchain import guard_model, middleware

agents: Any = pytest.importorskip("langchain.agents", reason=WHY)
langgraph: Any = pytest.importorskip("langgraph.types", reason=WHY)


def agent(model: Any, guard: Guard, tools: Any = (look,), **options: Any) -> Any:
    return agents.create_agent(model, list(tools), middleware=[middleware(guard, **options)])


def asking(text: str) -> Any:
    return {"messages": [("human", text)]}


@every_way
@pytest.mark.parametrize("tools", [(look,), ()])
def test_a_benign_agent_is_as_without_a_guard(guard: Guard, call: Any, tools: Any) -> None:
    def said(answer: Any) -> list[Any]:
        return [type(answer), str(answer).count("It is in France."), str(answer).count(ANSWER)]

    answers = [messages.AIMessage("", tool_calls=[CALL]), ANSWER] if tools else [ANSWER]
    plain = agents.create_agent(made(*answers), list(tools))
    assert (
        said(call(agent(made(*answers), guard, tools), asking(QUESTION)))[0]
        is said(call(plain, asking(QUESTION)))[0]
    )
    answer = agent(made(*answers), guard, tools).invoke(asking(QUESTION))
    assert answer["messages"][-1].content == ANSWER


@every_way
def test_an_attack_does_not_reach_the_agent(guard: Guard, call: Any) -> None:
    model = made(ANSWER)
    with pytest.raises(Blocked):
        call(agent(model, guard), asking(ATTACK))
    assert model.asked == []


@every_way
def test_an_attack_in_a_tool_result_does_not_go_on(guard: Guard, call: Any) -> None:
    model = made(messages.AIMessage("", tool_calls=[CALL | {"args": {"city": "Rome"}}]), ANSWER)
    with pytest.raises(Blocked):
        call(agent(model, guard), asking(QUESTION))
    assert len(model.asked) == 1


@every_way
def test_an_attack_in_a_command_of_a_tool_does_not_go_on(guard: Guard, call: Any) -> None:
    def look(city: str) -> Any:
        """Look something up."""
        page = messages.ToolMessage(PAGE, tool_call_id="call_1")
        return langgraph.Command(update={"messages": [messages.RemoveMessage(id="x"), page]})

    model = made(messages.AIMessage("", tool_calls=[CALL]), ANSWER)
    with pytest.raises(Blocked):
        call(agent(model, guard, [look]), asking(QUESTION))
    assert len(model.asked) == 1


@every_way
def test_a_blocked_tool_result_can_be_replaced(guard: Guard, call: Any) -> None:
    model = made(messages.AIMessage("", tool_calls=[CALL | {"args": {"city": "Rome"}}]), ANSWER)
    call(agent(model, guard, tool_error="It cannot be shown."), asking(QUESTION))
    assert [each.content for each in model.asked[1][1:]] == ["", "It cannot be shown."]
    assert model.asked[1][-1].status == "error"


@every_way
def test_an_attack_in_the_answer_of_the_agent_is_not_told(guard: Guard, call: Any) -> None:
    with pytest.raises(Blocked):
        call(agent(made(f"{ATTACK} and more"), guard), asking(QUESTION))
    model = agent(made(f"{ATTACK} and more"), guard)
    out: list[Any] = []
    with pytest.raises(Blocked):
        out.extend(model.stream(asking(QUESTION), stream_mode="messages"))
    assert "zebra" not in str(out)


@pytest.mark.parametrize(("asked", "error"), [("explode", CheckFailed), (QUESTION, OSError)])
@every_way
def test_errors_pass_through(guard: Guard, call: Any, asked: str, error: type[Exception]) -> None:
    model = guard_model(Broken(messages=iter([])), guard)
    with pytest.raises(error):
        call(agent(model, guard), asking(asked))
