from collections.abc import Iterator
from typing import Any

import pytest

from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, CheckFailed, Delay, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters.smolagents import guard_model, guard_tool, wrap
from tinyguardrail_sdk.testing import ScriptedClassifier

WHY = "pip install 'tinyguardrail-sdk[smolagents]'"
smolagents: Any = pytest.importorskip("smolagents", reason=WHY)
models: Any = pytest.importorskip("smolagents.models", reason=WHY)

LONG = "The capital of France lies on the river Seine. " * 40


class Scripted(models.Model):  # type: ignore[misc]
    """Answers from a list, whole or in pieces, and counts.

    Attributes:
        asked: The messages of every request.
    """

    def __init__(self, *answers: Any) -> None:
        super().__init__(model_id="scripted")
        self.asked: list[Any] = []
        self._answers = list(answers)

    def _next(self, messages: Any) -> Any:
        self.asked.append(messages)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def generate(self, messages: Any, *_: Any, **__: Any) -> Any:
        answer = self._next(messages)
        if isinstance(answer, str):
            return models.ChatMessage(role="assistant", content=answer)
        return models.ChatMessage(role="assistant", content=None, tool_calls=[answer])


class Streamer(Scripted):
    def generate_stream(self, messages: Any, *_: Any, **__: Any) -> Iterator[Any]:
        answer = self._next(messages)
        text = answer if isinstance(answer, str) else answer.function.arguments
        for at in range(0, len(text), 6):
            piece = text[at : at + 6]
            if isinstance(answer, str):
                yield models.ChatMessageStreamDelta(content=piece)
                continue
            function = models.ChatMessageToolCallFunction(name="look", arguments=piece)
            call = models.ChatMessageToolCallStreamDelta(index=0, function=function)
            yield models.ChatMessageStreamDelta(tool_calls=[call])


def calling(name: str, **arguments: Any) -> Any:
    function = models.ChatMessageToolCallFunction(name=name, arguments=arguments)
    return models.ChatMessageToolCall(id="call_1", type="function", function=function)


def message(role: str, content: Any, **more: Any) -> Any:
    return models.ChatMessage(role=models.MessageRole(role), content=content, **more)


def generated(model: Any, messages: Any, out: list[Any]) -> None:
    out.append(model.generate(messages))


def called(model: Any, messages: Any, out: list[Any]) -> None:
    out.append(model(messages))


def streamed(model: Any, messages: Any, out: list[Any]) -> None:
    out.extend(model.generate_stream(messages))


every_way = pytest.mark.parametrize("way", [generated, called, streamed])
ATTACKS: list[Any] = [
    message("user", ATTACK),
    {"role": "user", "content": [{"type": "text", "text": ATTACK}]},
    message("tool-response", PAGE),
    message("tool-call", ATTACK),
    message("assistant", None, tool_calls=[calling("look", city=ATTACK)]),
]


@every_way
def test_benign_calls_are_as_without_a_guard(guard: Guard, way: Any) -> None:
    asked = [message("system", ATTACK), message("user", QUESTION)]
    plain: list[Any] = []
    kept: list[Any] = []
    way(Streamer(ANSWER), asked, plain)
    way(guard_model(Streamer(ANSWER), guard), asked, kept)
    assert kept == plain


@every_way
@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_does_not_reach_the_model(guard: Guard, way: Any, attack: Any) -> None:
    model = Streamer(ANSWER)
    with pytest.raises(Blocked):
        way(guard_model(model, guard), [message("user", QUESTION), attack], [])
    assert model.asked == []


@every_way
def test_an_attack_in_the_answer_is_not_released(guard: Guard, way: Any) -> None:
    out: list[Any] = []
    with pytest.raises(Blocked):
        way(guard_model(Streamer(f"{ATTACK} and more"), guard), [message("user", QUESTION)], out)
    assert out == []


def test_an_attack_in_a_tool_call_is_not_released(guard: Guard) -> None:
    out: list[Any] = []
    with pytest.raises(Blocked):
        generated(guard_model(Scripted(calling("look", city=ATTACK)), guard), [], out)
    call = calling("look")
    call.function.arguments = f'{{"city": "{ATTACK}"}}'
    with pytest.raises(Blocked):
        streamed(guard_model(Streamer(call), guard), [], out)
    assert out == []


def test_a_long_stream_flows_until_the_attack(guard: Guard) -> None:
    model = guard_model(Streamer(LONG + ATTACK), guard, delay=Delay(hold=60, every=40))
    out: list[Any] = []
    with pytest.raises(Blocked):
        streamed(model, [message("user", QUESTION)], out)
    assert len(LONG) - 120 < len("".join(each.content for each in out)) <= len(LONG)


class Look(smolagents.Tool):  # type: ignore[misc]
    name = "look"
    description = "Looks something up."
    inputs = {"city": {"type": "string", "description": "A town."}}
    output_type = "string"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def forward(self, city: str) -> str:
        self.asked.append(city)
        return {"Paris": "It is in France."}.get(city, PAGE)


SCRIPTS: dict[str, Any] = {
    "ToolCallingAgent": lambda city: [
        calling("look", city=city),
        calling("final_answer", answer=ANSWER),
    ],
    "CodeAgent": lambda city: [
        f"<code>print(look('{city}'))</code>",
        f"<code>final_answer('{ANSWER}')</code>",
    ],
}


@pytest.fixture(params=SCRIPTS)
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def agent_of(kind: str, model: Any, tool: Any = None, **options: Any) -> Any:
    made = getattr(smolagents, kind)
    return made(tools=[tool or Look()], model=model, max_steps=2, verbosity_level=0, **options)


def test_a_benign_run_is_as_without_a_guard(guard: Guard, kind: str) -> None:
    plain, kept = Scripted(*SCRIPTS[kind]("Paris")), Scripted(*SCRIPTS[kind]("Paris"))
    with wrap(agent_of(kind, kept), guard) as agent:
        assert agent.run(QUESTION) == agent_of(kind, plain).run(QUESTION) == ANSWER
    assert str(kept.asked) == str(plain.asked)


def test_an_attack_ends_a_run_before_the_model_is_asked(guard: Guard, kind: str) -> None:
    model = Scripted(*SCRIPTS[kind]("Paris"))
    agent = agent_of(kind, model)
    wrap(agent, guard)
    with pytest.raises(smolagents.AgentGenerationError) as caught:
        agent.run(ATTACK)
    assert isinstance(caught.value.__cause__, Blocked)
    assert model.asked == []


def test_the_model_reads_an_error_in_place_of_a_blocked_result(guard: Guard, kind: str) -> None:
    model = Scripted(*SCRIPTS[kind]("Rome"))
    with wrap(agent_of(kind, model), guard) as agent:
        assert agent.run(QUESTION) == ANSWER
    assert "zebra" not in str(model.asked[1])
    assert "blocked: injection" in str(model.asked[1])


def test_a_tool_does_not_run_with_an_attack(guard: Guard) -> None:
    tool = Look()
    guarded = guard_tool(tool, guard)
    assert guarded("Paris") == guarded(city="Paris") == tool.forward("Paris")
    with pytest.raises(Blocked):
        guarded({"city": ATTACK})
    assert ATTACK not in str(tool.asked)


def test_functions_as_tools_are_guarded(guard: Guard) -> None:
    def find(city: str) -> str:
        """Finds.

        Args:
            city: A town.
        """
        return PAGE

    with pytest.raises(Blocked):
        guard_tool(smolagents.tool(find), guard)("Rome")


def test_an_attack_in_the_last_answer_is_not_given(guard: Guard) -> None:
    # Out of parts, where neither the code nor a single message has it.
    code = "<code>final_answer('zebra-override' + ' now')</code>"
    agent = agent_of("CodeAgent", Scripted(code, f"<code>final_answer('{ANSWER}')</code>"))
    wrap(agent, guard)
    assert agent.run(QUESTION) == ANSWER


def test_managed_agents_are_guarded_too(guard: Guard) -> None:
    model = Scripted(*SCRIPTS["ToolCallingAgent"]("Paris"))
    inner = agent_of("ToolCallingAgent", model, name="helper", description="Helps.")
    outer = smolagents.ToolCallingAgent(
        tools=[], model=Scripted(), managed_agents=[inner], verbosity_level=0
    )
    with wrap(outer, guard), pytest.raises(smolagents.AgentGenerationError):
        inner.run(ATTACK)
    assert model.asked == []
    assert inner.run(ATTACK) == ANSWER  # undone


@pytest.mark.parametrize(("asked", "error"), [("explode", CheckFailed), (QUESTION, OSError)])
def test_errors_pass_through(guard: Guard, asked: str, error: type[Exception]) -> None:
    model = guard_model(Scripted(OSError("no connection")), guard)
    with pytest.raises(error):
        model.generate([message("user", asked)])


def test_an_agent_is_guarded_once(guard: Guard) -> None:
    agent = agent_of("ToolCallingAgent", Scripted())
    before = dict(vars(agent))
    handle = wrap(agent, guard)
    assert wrap(agent, guard) is handle
    assert len(agent.final_answer_checks) == 1
    with pytest.raises(GuardrailError, match="undo"):
        wrap(agent, Guard(classifier=ScriptedClassifier()))
    handle.undo()
    assert vars(agent) == before


def test_what_is_guarded_already_or_no_agent_is_refused(guard: Guard) -> None:
    other = Guard(classifier=ScriptedClassifier())
    model, tool = Scripted(), guard_tool(Look(), other)
    agent = agent_of("ToolCallingAgent", model, tool)
    with pytest.raises(GuardrailError, match="another way"):
        wrap(agent, guard)
    assert agent.model is model
    with pytest.raises(InputError, match="no model"):
        guard_model("gpt-5-mini", guard)
    with pytest.raises(InputError, match="no agent"):
        wrap(object(), guard)
