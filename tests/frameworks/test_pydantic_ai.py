import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pydantic
import pytest

from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, CheckFailed, Delay, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters.pydantic_ai import capability, guard_model
from tinyguardrail_sdk.testing import ScriptedClassifier

WHY = "pip install 'tinyguardrail-sdk[pydantic-ai]'"
ai: Any = pytest.importorskip("pydantic_ai", reason=WHY)
messages: Any = pytest.importorskip("pydantic_ai.messages", reason=WHY)
functions: Any = pytest.importorskip("pydantic_ai.models.function", reason=WHY)

pytestmark = pytest.mark.usefixtures("loop")

LONG = "The capital of France lies on the river Seine. " * 40


class Script:
    """A `FunctionModel` that answers from a list, whole or in pieces, and counts.

    An answer is a text, arguments of a tool, an error, or a pair of reasoning and text.

    Attributes:
        asked: The messages of every request.
    """

    def __init__(self, *answers: Any) -> None:
        self.asked: list[Any] = []
        self._answers = iter(answers)
        self.model = functions.FunctionModel(self._whole, stream_function=self._pieces)

    def _next(self, asked: Any) -> Any:
        self.asked.append(asked)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _whole(self, asked: Any, _: Any) -> Any:
        answer = self._next(asked)
        if isinstance(answer, tuple):
            reasoning, text = answer
            thought = messages.ThinkingPart(reasoning)
            return messages.ModelResponse([thought, messages.TextPart(text)])
        part = messages.TextPart(answer) if isinstance(answer, str) else called(answer)
        return messages.ModelResponse([part])

    async def _pieces(self, asked: Any, _: Any) -> AsyncIterator[Any]:
        answer = self._next(asked)
        if isinstance(answer, tuple):
            reasoning, answer = answer
            for at in range(0, len(reasoning), 6):
                yield {0: functions.DeltaThinkingPart(content=reasoning[at : at + 6])}
        if isinstance(answer, str):
            for at in range(0, len(answer), 6):
                yield answer[at : at + 6]
            return
        call = called(answer)
        text = call.args_as_json_str()
        for at in range(0, len(text), 6):
            piece = {"name": call.tool_name if at == 0 else None, "json_args": text[at : at + 6]}
            yield {0: functions.DeltaToolCall(**piece, tool_call_id=call.tool_call_id)}


def called(arguments: Any) -> Any:
    return messages.ToolCallPart("look" if arguments else "find", arguments, "call_1")


def look(city: str) -> str:
    """Look something up."""
    return {"Paris": "It is in France."}.get(city, PAGE)


def run(agent: Any, prompt: Any, out: list[Any], **options: Any) -> Any:
    return agent.run_sync(prompt, **options).output


def arun(agent: Any, prompt: Any, out: list[Any], **options: Any) -> Any:
    return asyncio.run(agent.run(prompt, **options)).output


def events(agent: Any, prompt: Any, out: list[Any], **options: Any) -> Any:
    async def handler(ctx: Any, stream: Any) -> None:
        async for event in stream:
            out.append(event)

    return asyncio.run(agent.run(prompt, event_stream_handler=handler, **options)).output


def texts(agent: Any, prompt: Any, out: list[Any], **options: Any) -> Any:
    async def go() -> Any:
        async with agent.run_stream(prompt, **options) as result:
            async for text in result.stream_text(debounce_by=None):
                out.append(text)
            return await result.get_output()

    return asyncio.run(go())


def snapshots(agent: Any, prompt: Any, out: list[Any], **options: Any) -> Any:
    async def go() -> Any:
        async with agent.run_stream(prompt, **options) as result:
            async for response in result.stream_response(debounce_by=None):
                out.append(response)
            return await result.get_output()

    return asyncio.run(go())


Way = Callable[..., Any]
every_way = pytest.mark.parametrize("way", [run, arun, events, texts, snapshots])


@pytest.fixture(params=["model", "capability"])
def make(request: pytest.FixtureRequest, guard: Guard) -> Callable[..., Any]:
    """Return what makes an agent that is guarded in either way."""

    def build(script: Script, tools: Any = (look,), **options: Any) -> Any:
        if request.param == "model":
            return ai.Agent(guard_model(script.model, guard, **options), tools=list(tools))
        added = [capability(guard, **options)]
        return ai.Agent(script.model, tools=list(tools), capabilities=added)

    return build


@every_way
def test_a_benign_run_is_as_without_a_guard(make: Any, way: Way) -> None:
    plain, kept = Script({"city": "Paris"}, ANSWER), Script({"city": "Paris"}, ANSWER)
    said: list[Any] = []
    heard: list[Any] = []
    agent = ai.Agent(plain.model, tools=[look], instructions=ATTACK)
    assert way(agent, QUESTION, said) == way(make(kept), QUESTION, heard, instructions=ATTACK)
    assert [type(each) for each in heard] == [type(each) for each in said]
    assert [len(each) for each in kept.asked] == [len(each) for each in plain.asked]


PROMPTS: list[Any] = [
    ATTACK,
    [QUESTION, messages.TextContent(ATTACK)],
    [QUESTION, messages.BinaryContent(PAGE.encode(), media_type="text/plain")],
]


@every_way
@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda each: type(each[-1]).__name__)
def test_an_attack_does_not_reach_the_model(make: Any, way: Way, prompt: Any) -> None:
    script = Script(ANSWER)
    with pytest.raises(Blocked):
        way(make(script), prompt, [])
    assert script.asked == []


HISTORY = [
    messages.ModelRequest([messages.UserPromptPart(QUESTION)]),
    messages.ModelResponse([called({"city": "Rome"})]),
]
RETURNS: list[Any] = [
    PAGE,
    {"pages": [PAGE]},
    [messages.BinaryContent(PAGE.encode(), media_type="text/plain")],
]


@pytest.mark.parametrize("content", RETURNS, ids=lambda each: type(each).__name__)
def test_an_attack_in_the_history_does_not_reach_the_model(make: Any, content: Any) -> None:
    script = Script(ANSWER)
    part = messages.ToolReturnPart("look", content, "call_1")
    history = [*HISTORY, messages.ModelRequest([part])]
    with pytest.raises(Blocked):
        run(make(script), QUESTION, [], message_history=history)
    assert script.asked == []


@every_way
def test_an_attack_in_a_tool_result_does_not_go_on(make: Any, way: Way) -> None:
    script = Script({"city": "Rome"}, ANSWER)
    with pytest.raises(Blocked):
        way(make(script), QUESTION, [])
    assert len(script.asked) == 1


class Page(pydantic.BaseModel):
    text: str
    kind: str = "image-url"  # an application may call it so, and it is no picture


@pytest.mark.parametrize(
    "result",
    [
        [PAGE],
        {"text": PAGE},
        Page(text=PAGE),
        ai.ToolReturn("fine", content=PAGE),
        ai.ToolReturn(return_value=Page(text=PAGE)),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_blocked_tool_result_can_be_replaced(guard: Guard, result: Any) -> None:
    def find() -> Any:
        return result

    script = Script({}, ANSWER)
    added = [capability(guard, tool_error="Not shown.")]
    agent = ai.Agent(script.model, tools=[find], capabilities=added)
    assert run(agent, QUESTION, []) == ANSWER
    assert [part.content for part in script.asked[1][-1].parts] == ["Not shown."]


@every_way
@pytest.mark.parametrize("answer", [f"{ATTACK} and more", {"city": ATTACK}])
def test_an_attack_in_the_answer_is_not_released(make: Any, way: Way, answer: Any) -> None:
    out: list[Any] = []
    looked: list[str] = []
    with pytest.raises(Blocked):
        way(make(Script(answer), [looked.append, look]), QUESTION, out)
    assert "zebra" not in str(out)
    assert looked == []


@every_way
def test_an_attack_in_the_reasoning_is_not_released(make: Any, way: Way) -> None:
    out: list[Any] = []
    with pytest.raises(Blocked):
        way(make(Script((f"{ATTACK} and more", ANSWER))), QUESTION, out)
    assert "zebra" not in str(out)
    thought = "The capital."
    assert way(make(Script((thought, ANSWER))), QUESTION, out) == ANSWER
    assert "capital" in str(out) or way in (run, arun, texts)  # these tell no reasoning


@pytest.mark.parametrize("way", [texts, snapshots, events])
def test_a_long_stream_flows_until_the_attack(make: Any, way: Way) -> None:
    out: list[Any] = []
    with pytest.raises(Blocked):
        way(make(Script(LONG + ATTACK), delay=Delay(hold=60, every=40)), QUESTION, out)
    assert len(out) > len(LONG) / 6 / 2
    assert "zebra" not in str(out)
    if way is not events:
        last = out[-1] if way is texts else out[-1].parts[0].content
        assert len(LONG) - 120 < len(last) <= len(LONG)


@every_way
@pytest.mark.parametrize(("prompt", "error"), [("explode", CheckFailed), (QUESTION, OSError)])
def test_errors_pass_through(make: Any, way: Way, prompt: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        way(make(Script(OSError("no connection"))), prompt, [])


def test_an_iterator_of_a_tool_is_an_error(guard: Guard) -> None:
    def find() -> Any:
        return iter([PAGE])

    agent = ai.Agent(Script({}, ANSWER).model, tools=[find], capabilities=[capability(guard)])
    with pytest.raises(InputError, match="return a list"):
        run(agent, QUESTION, [])


def test_what_cannot_be_read_is_an_error(make: Any) -> None:
    script = Script(ANSWER)
    with pytest.raises(InputError, match="cannot be read"):
        run(make(script), [QUESTION, messages.DocumentUrl("https://example.com/a.pdf")], [])
    picture = messages.BinaryContent(b"PNG", media_type="image/png")
    assert run(make(script), [QUESTION, picture], []) == ANSWER


def test_concurrent_runs_do_not_mix(make: Any) -> None:
    script = Script(*[ANSWER] * 6)
    agent = make(script, [])

    async def go() -> list[Any]:
        runs = [agent.run(each) for each in [QUESTION, ATTACK] * 6]
        return await asyncio.gather(*runs, return_exceptions=True)

    kinds = [type(each) is Blocked for each in asyncio.run(go())]
    assert kinds == [False, True] * 6
    assert len(script.asked) == 6


def test_a_model_is_guarded_once(guard: Guard) -> None:
    model = guard_model(Script().model, guard)
    assert isinstance(model, functions.FunctionModel)
    assert guard_model(model, guard) is model
    with pytest.raises(GuardrailError, match="another way"):
        guard_model(model, Guard(classifier=ScriptedClassifier()))
