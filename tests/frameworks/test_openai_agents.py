import asyncio
from collections.abc import Callable
from typing import Any

import pydantic
import pytest

from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, CheckFailed, Delay, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters.openai_agents import guard_agent, guard_model, guard_provider
from tinyguardrail_sdk.testing import ScriptedClassifier

WHY = "pip install 'tinyguardrail-sdk[openai-agents]'"
agents: Any = pytest.importorskip("agents", reason=WHY)
testing: Any = pytest.importorskip("agents.testing", reason=WHY)
events: Any = pytest.importorskip("openai.types.responses", reason=WHY)

pytestmark = pytest.mark.usefixtures("loop")

LONG = "The capital of France lies on the river Seine. " * 40


def said(text: str) -> Any:
    return [testing.assistant_message(text)]


def called(city: str) -> Any:
    return [testing.function_call("look", {"city": city}, call_id="call_1")]


@pytest.fixture
def looked() -> list[str]:
    return []


@pytest.fixture
def tool(looked: list[str]) -> Any:
    def look(city: str) -> str:
        """Look something up."""
        looked.append(city)
        return {"Paris": "It is in France."}.get(city, PAGE)

    return agents.function_tool(look)


@pytest.fixture
def config() -> Any:
    return agents.RunConfig(tracing_disabled=True)


async def _stream(agent: Any, given: Any, config: Any, out: list[Any]) -> Any:
    run = agents.Runner.run_streamed(agent, given, run_config=config)
    async for event in run.stream_events():
        out.append(event)
    return run


def run(agent: Any, given: Any, config: Any, out: list[Any]) -> Any:
    return agents.Runner.run_sync(agent, given, run_config=config)


def arun(agent: Any, given: Any, config: Any, out: list[Any]) -> Any:
    return asyncio.run(agents.Runner.run(agent, given, run_config=config))


def stream(agent: Any, given: Any, config: Any, out: list[Any]) -> Any:
    return asyncio.run(_stream(agent, given, config, out))


WAYS = [run, arun, stream]
Way = Callable[..., Any]
every_way = pytest.mark.parametrize("way", WAYS)
TOOL_RESULT = {"type": "function_call_output", "call_id": "c", "output": PAGE}
FOUND = {
    "type": "file_search_call",
    "id": "f",
    "status": "completed",
    "queries": ["hours"],
    "results": [{"text": PAGE}],
}
ATTACKS: list[Any] = [
    ATTACK,
    [{"role": "user", "content": [{"type": "input_text", "text": ATTACK}]}],
    [{"role": "user", "content": QUESTION}, TOOL_RESULT],
    [{"role": "user", "content": QUESTION}, FOUND],
]


@every_way
def test_a_benign_run_is_as_without_a_guard(guard: Guard, tool: Any, config: Any, way: Way) -> None:
    def asked(guarded: bool) -> tuple[Any, Any, Any]:
        model = testing.ScriptedModel([called("Paris"), said(ANSWER)])
        out: list[Any] = []
        agent = agents.Agent(name="a", instructions=ATTACK, tools=[tool], model=model)
        result = way(guard_agent(agent, guard) if guarded else agent, QUESTION, config, out)
        kinds = [getattr(each, "data", each).type for each in out]
        return result.final_output, kinds, [each.input for each in model.calls]

    assert asked(True) == asked(False)
    assert asked(True)[0] == ANSWER


@every_way
@pytest.mark.parametrize("given", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_does_not_reach_the_model(
    guard: Guard, config: Any, way: Way, given: Any
) -> None:
    model = testing.ScriptedModel([said(ANSWER)])
    agent = agents.Agent(name="a", model=model)
    with pytest.raises(agents.InputGuardrailTripwireTriggered) as caught:
        way(guard_agent(agent, guard), given, config, [])
    assert caught.value.guardrail_result.output.output_info.blocked
    with pytest.raises(Blocked):
        way(agent.clone(model=guard_model(model, guard)), given, config, [])
    assert model.calls == ()


@every_way
def test_an_attack_in_a_tool_result_does_not_go_on(
    guard: Guard, tool: Any, config: Any, way: Way
) -> None:
    model = testing.ScriptedModel([called("Rome"), said(ANSWER)] * 2)
    agent = agents.Agent(name="a", tools=[tool], model=model)
    with pytest.raises(agents.ToolOutputGuardrailTripwireTriggered):
        way(guard_agent(agent, guard), QUESTION, config, [])
    assert len(model.calls) == 1
    way(guard_agent(agent, guard, tool_message="Not shown."), QUESTION, config, [])


def test_the_model_reads_the_message_in_place_of_a_blocked_result(
    guard: Guard, tool: Any, config: Any
) -> None:
    model = testing.ScriptedModel([called("Rome"), said(ANSWER)])
    agent = agents.Agent(name="a", tools=[tool], model=model)
    run(guard_agent(agent, guard, tool_message="Not shown."), QUESTION, config, [])
    assert model.calls[1].input[-1]["output"] == "Not shown."


@every_way
def test_a_tool_does_not_run_with_an_attack(
    guard: Guard, tool: Any, looked: list[str], config: Any, way: Way
) -> None:
    model = testing.ScriptedModel([called(ATTACK), said(ANSWER)])
    agent = guard_agent(agents.Agent(name="a", tools=[tool]), guard).clone(model=model)
    with pytest.raises(agents.ToolInputGuardrailTripwireTriggered):
        way(agent, QUESTION, config, [])
    assert looked == []


@every_way
@pytest.mark.parametrize("answer", [said(f"{ATTACK} and more"), called(ATTACK)])
def test_an_attack_in_the_answer_is_not_released(
    guard: Guard, tool: Any, looked: list[str], config: Any, way: Way, answer: Any
) -> None:
    agent = agents.Agent(name="a", tools=[tool], model=testing.ScriptedModel([answer]))
    out: list[Any] = []
    with pytest.raises(Blocked):
        way(guard_agent(agent, guard), QUESTION, config, out)
    assert "zebra" not in str(out)
    assert looked == []


@every_way
def test_an_attack_in_the_reasoning_is_not_released(guard: Guard, config: Any, way: Way) -> None:
    summary = [{"type": "summary_text", "text": f"{ATTACK} and more"}]
    thought = events.ResponseReasoningItem(id="rs_1", type="reasoning", summary=summary)
    model = testing.ScriptedModel([[thought, *said(ANSWER)]])
    out: list[Any] = []
    with pytest.raises(Blocked):
        way(guard_agent(agents.Agent(name="a", model=model), guard), QUESTION, config, out)
    assert len(model.calls) == 1
    assert "zebra" not in str(out)


class City(pydantic.BaseModel):
    city: str


@pytest.mark.parametrize("kind", [None, City])
def test_the_output_guardrail_reads_the_last_answer(guard: Guard, config: Any, kind: Any) -> None:
    text = ATTACK if kind is None else City(city=ATTACK).model_dump_json()
    agent = guard_agent(agents.Agent(name="a", output_type=kind), guard)
    with pytest.raises(agents.OutputGuardrailTripwireTriggered):
        run(agent.clone(model=testing.ScriptedModel([said(text)])), QUESTION, config, [])


def test_a_long_stream_flows_until_the_attack(guard: Guard, config: Any) -> None:
    text = LONG + ATTACK
    deltas = [
        events.ResponseTextDeltaEvent(
            type="response.output_text.delta",
            content_index=0,
            output_index=0,
            item_id="m",
            sequence_number=at,
            delta=text[at : at + 6],
            logprobs=[],
        )
        for at in range(0, len(text), 6)
    ]
    model = testing.ScriptedModel([testing.ModelStep.stream(deltas)])
    agent = agents.Agent(name="a", model=guard_model(model, guard, delay=Delay(hold=60, every=40)))
    out: list[Any] = []
    with pytest.raises(Blocked):
        stream(agent, QUESTION, config, out)
    flowed = "".join(each.data.delta for each in out if each.type == "raw_response_event")
    assert len(LONG) - 120 < len(flowed) <= len(LONG)


@every_way
def test_a_provider_gives_guarded_models(guard: Guard, way: Way) -> None:
    model = testing.ScriptedModel([said(ANSWER)])

    class Provider(agents.ModelProvider):  # type: ignore[misc]
        def get_model(self, model_name: str | None) -> Any:
            return model

    provider = guard_provider(guard, Provider())
    config = agents.RunConfig(tracing_disabled=True, model_provider=provider)
    with pytest.raises(Blocked):
        way(agents.Agent(name="a", model="any"), ATTACK, config, [])
    assert way(agents.Agent(name="a"), QUESTION, config, []).final_output == ANSWER
    assert len(model.calls) == 1


@every_way
@pytest.mark.parametrize(("given", "error"), [("explode", CheckFailed), (QUESTION, OSError)])
def test_errors_pass_through(
    guard: Guard, config: Any, way: Way, given: str, error: type[Exception]
) -> None:
    model = testing.ScriptedModel([OSError("no connection")])
    with pytest.raises(error):
        way(guard_agent(agents.Agent(name="a", model=model), guard), given, config, [])


def test_concurrent_runs_do_not_mix(guard: Guard, config: Any) -> None:
    model = testing.ScriptedModel([said(ANSWER)] * 6)
    agent = agents.Agent(name="a", model=guard_model(model, guard))

    async def go() -> list[Any]:
        runs = [_stream(agent, each, config, []) for each in [QUESTION, ATTACK] * 6]
        return await asyncio.gather(*runs, return_exceptions=True)

    kinds = [type(each) is Blocked for each in asyncio.run(go())]
    assert kinds == [False, True] * 6
    assert len(model.calls) == 6


def test_a_model_is_guarded_once(guard: Guard) -> None:
    model = guard_model(testing.ScriptedModel([]), guard)
    assert isinstance(model, testing.ScriptedModel)
    assert guard_model(model, guard) is model
    with pytest.raises(GuardrailError, match="another way"):
        guard_model(model, Guard(classifier=ScriptedClassifier()))
    with pytest.raises(InputError, match="guard the provider"):
        guard_model("gpt-5-mini", guard)


def test_an_agent_is_guarded_once(guard: Guard, tool: Any, config: Any) -> None:
    model = testing.ScriptedModel([called("Paris"), said(ANSWER)])
    once = guard_agent(agents.Agent(name="a", tools=[tool], model=model), guard)
    twice = guard_agent(once, guard)
    for each in (once, twice):
        (look,) = each.tools
        for name in ("input_guardrails", "output_guardrails"):
            assert len(getattr(each, name)) == len(getattr(look, f"tool_{name}")) == 1
    assert run(twice, QUESTION, config, []).final_output == ANSWER
    other = Guard(classifier=ScriptedClassifier())
    assert len(guard_agent(agents.Agent(name="a", tools=[tool]), other).input_guardrails) == 1
    assert len(guard_agent(once.clone(model=None), other).input_guardrails) == 2


HIDDEN: list[dict[str, Any]] = [
    {"extra_body": {"input": ATTACK}},
    {"extra_body": {"messages": [{"role": "user", "content": ATTACK}]}},
    {"extra_body": {"prompt": {"id": "p", "variables": {"page": PAGE}}}},
    {"extra_args": {"prediction": {"type": "content", "content": PAGE}}},
    {"extra_args": {"extra_body": {"input": ATTACK}}},
]


@every_way
@pytest.mark.parametrize("hidden", HIDDEN, ids=range(len(HIDDEN)))
def test_what_settings_put_into_a_request_is_read(
    guard: Guard, config: Any, way: Way, hidden: Any
) -> None:
    model = testing.ScriptedModel([said(ANSWER)])
    settings = agents.ModelSettings(**hidden)
    agent = agents.Agent(name="a", model=guard_model(model, guard), model_settings=settings)
    with pytest.raises(Blocked):
        way(agent, QUESTION, config, [])
    assert not model.calls


def test_other_settings_pass(guard: Guard, config: Any) -> None:
    model = testing.ScriptedModel([said(ANSWER)])
    settings = agents.ModelSettings(extra_body={"top_k": 3}, extra_args={"timeout": 5})
    agent = agents.Agent(name="a", model=guard_model(model, guard), model_settings=settings)
    assert run(agent, QUESTION, config, []).final_output == ANSWER
