import asyncio
import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, CheckFailed, Delay, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters.haystack import document_guard, guard_generator, text_guard
from tinyguardrail_sdk.testing import ScriptedClassifier

WHY = "pip install 'tinyguardrail-sdk[haystack]'"
haystack: Any = pytest.importorskip("haystack", reason=WHY)
dataclasses: Any = pytest.importorskip("haystack.dataclasses", reason=WHY)
agents: Any = pytest.importorskip("haystack.components.agents", reason=WHY)
tools: Any = pytest.importorskip("haystack.tools", reason=WHY)

Message = dataclasses.ChatMessage
LONG = "The capital of France lies on the river Seine. " * 40


@haystack.component
class Scripted:
    """Answers from a list, whole, or in pieces that it tells its callback, and counts.

    Attributes:
        asked: The messages of every request.
    """

    def __init__(self, *answers: Any, streaming_callback: Any = None) -> None:
        self.asked: list[Any] = []
        self.streaming_callback = streaming_callback
        self._answers = list(answers)

    @haystack.component.output_types(replies=list[Any])  # type: ignore[untyped-decorator]
    def run(
        self, messages: list[Any], streaming_callback: Any = None, tools: Any = None
    ) -> dict[str, Any]:
        answer = self._next(messages)
        for chunk in chunks(answer) if streaming_callback else ():
            streaming_callback(chunk)
        return {"replies": [answer]}

    @haystack.component.output_types(replies=list[Any])  # type: ignore[untyped-decorator]
    async def run_async(
        self, messages: list[Any], streaming_callback: Any = None, tools: Any = None
    ) -> dict[str, Any]:
        answer = self._next(messages)
        for chunk in chunks(answer) if streaming_callback else ():
            await streaming_callback(chunk)
        return {"replies": [answer]}

    def to_dict(self) -> dict[str, Any]:
        return {}

    def _next(self, messages: Any) -> Any:
        self.asked.append(messages)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Message.from_assistant(answer) if isinstance(answer, str) else answer


def chunks(answer: Any) -> list[Any]:
    made = []
    thought = answer.reasoning.reasoning_text if answer.reasoning else ""
    for at in range(0, len(thought), 6):
        part = dataclasses.ReasoningContent(thought[at : at + 6])
        made.append(dataclasses.StreamingChunk("", index=2, reasoning=part))
    for call in answer.tool_calls:
        text = str(call.arguments)
        for at in range(0, len(text), 6):
            delta = dataclasses.ToolCallDelta(index=0, arguments=text[at : at + 6])
            made.append(dataclasses.StreamingChunk("", index=0, tool_calls=[delta]))
    text = answer.text or ""
    return made + [
        dataclasses.StreamingChunk(text[at : at + 6], index=1) for at in range(0, len(text), 6)
    ]


def calling(**arguments: Any) -> Any:
    call = dataclasses.ToolCall("look", arguments, id="call_1")
    return Message.from_assistant(tool_calls=[call])


def result(text: str) -> Any:
    return Message.from_tool(text, origin=dataclasses.ToolCall("look", {}, id="call_1"))


Way = Callable[[Any, Any, list[Any]], Any]


def now(model: Any, messages: Any, out: list[Any]) -> Any:
    return model.run(messages)["replies"]


def later(model: Any, messages: Any, out: list[Any]) -> Any:
    return asyncio.run(model.run_async(messages=messages))["replies"]


def told(model: Any, messages: Any, out: list[Any]) -> Any:
    return model.run(messages=messages, streaming_callback=out.append)["replies"]


def told_later(model: Any, messages: Any, out: list[Any]) -> Any:
    async def take(chunk: Any) -> None:
        out.append(chunk)

    return asyncio.run(model.run_async(messages, streaming_callback=take))["replies"]


def told_from_the_start(model: Any, messages: Any, out: list[Any]) -> Any:
    model.streaming_callback = out.append
    return model.run(messages)["replies"]


every_way = pytest.mark.parametrize("way", [now, later, told, told_later, told_from_the_start])
every_stream = pytest.mark.parametrize("way", [told, told_later, told_from_the_start])
ATTACKS = {
    "user": Message.from_user(ATTACK),
    "tool": result(PAGE),
    "assistant": Message.from_assistant(ATTACK),
    "call": calling(city=ATTACK),
    "parts": Message.from_user(content_parts=["zebra-override", "and more", ATTACK]),
}


@every_way
def test_benign_calls_are_as_without_a_guard(guard: Guard, way: Way) -> None:
    asked = [Message.from_system(ATTACK), Message.from_user(QUESTION)]
    plain, kept = Scripted(ANSWER), Scripted(ANSWER)
    out: list[Any] = []
    kept_out: list[Any] = []
    assert way(guard_generator(kept, guard), asked, kept_out) == way(plain, asked, out)
    assert kept.asked == plain.asked
    if way is not told_from_the_start:  # which the plain one here does not look at
        assert kept_out == out


@every_way
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_does_not_reach_the_model(guard: Guard, way: Way, attack: str) -> None:
    model = Scripted(ANSWER)
    with pytest.raises(Blocked):
        way(guard_generator(model, guard), [Message.from_user(QUESTION), ATTACKS[attack]], [])
    assert model.asked == []


@every_way
def test_an_attack_in_the_reasoning_is_not_released(guard: Guard, way: Way) -> None:
    answer = Message.from_assistant(ANSWER, reasoning=f"{ATTACK} and more")
    out: list[Any] = []
    with pytest.raises(Blocked):
        way(guard_generator(Scripted(answer), guard), [Message.from_user(QUESTION)], out)
    assert out == []


@every_way
@pytest.mark.parametrize("answer", [f"{ATTACK} and more", calling(city=ATTACK)])
def test_an_attack_in_the_answer_is_not_released(guard: Guard, way: Way, answer: Any) -> None:
    out: list[Any] = []
    with pytest.raises(Blocked):
        way(guard_generator(Scripted(answer), guard), [Message.from_user(QUESTION)], out)
    assert out == []


@every_stream
def test_a_long_stream_flows_until_the_attack(guard: Guard, way: Way) -> None:
    model = guard_generator(Scripted(LONG + ATTACK), guard, delay=Delay(hold=60, every=40))
    out: list[Any] = []
    with pytest.raises(Blocked):
        way(model, [Message.from_user(QUESTION)], out)
    assert len(LONG) - 120 < len("".join(each.content for each in out)) <= len(LONG)


def test_a_file_that_is_no_text_is_refused(guard: Guard) -> None:
    if importlib.util.find_spec("haystack.dataclasses.file_content") is None:
        pytest.skip("this version has no files in messages")
    part = dataclasses.FileContent("JVBERg==", mime_type="application/pdf")
    model = Scripted(ANSWER)
    with pytest.raises(InputError, match="check its text by itself"):
        guard_generator(model, guard).run([Message.from_user(content_parts=[part])])
    text = dataclasses.FileContent("emVicmEtb3ZlcnJpZGUgbm93", mime_type="text/plain")
    with pytest.raises(Blocked):
        guard_generator(model, guard).run([Message.from_user(content_parts=[text])])
    assert model.asked == []


@pytest.mark.parametrize(("asked", "error"), [("explode", CheckFailed), (QUESTION, OSError)])
def test_errors_pass_through(guard: Guard, asked: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        guard_generator(Scripted(OSError("no connection")), guard).run([Message.from_user(asked)])


def test_concurrent_calls_do_not_mix(guard: Guard) -> None:
    model = guard_generator(Scripted(*[ANSWER] * 3), guard)

    async def main() -> list[Any]:
        asked = [[Message.from_user(ATTACK if i % 2 else QUESTION)] for i in range(6)]
        calls = [model.run_async(each) for each in asked]
        return await asyncio.gather(*calls, return_exceptions=True)

    assert [type(each) for each in asyncio.run(main())] == [dict, Blocked] * 3


def look(city: str) -> str:
    return {"Paris": "It is in France."}.get(city, PAGE)


def test_an_agent_with_a_guarded_generator(guard: Guard) -> None:
    shape = {"type": "object", "properties": {"city": {"type": "string"}}}
    tool = tools.Tool("look", "Looks a town up.", shape, look)
    model = Scripted(calling(city="Paris"), ANSWER, calling(city="Rome"), ANSWER)
    agent = agents.Agent(chat_generator=guard_generator(model, guard), tools=[tool])
    agent.warm_up()
    assert agent.run([Message.from_user(QUESTION)])["messages"][-1].text == ANSWER
    assert "France" in str(model.asked[1])
    with pytest.raises(Exception, match="blocked: injection"):
        agent.run([Message.from_user(QUESTION)])
    assert len(model.asked) == 3
    assert "zebra" not in str(model.asked)


def pipeline_of(**components: Any) -> Any:
    made = haystack.Pipeline()
    for name, each in components.items():
        made.add_component(name, each)
    return made


def test_a_pipeline_stops_with_the_verdict(guard: Guard) -> None:
    plain = Scripted(ANSWER)
    pipeline = pipeline_of(plain=Scripted(ANSWER), llm=guard_generator(plain, guard))
    pipeline.connect("plain.replies", "llm.messages")  # the sockets of one are not the other's
    assert pipeline.run({"plain": {"messages": []}})["llm"]["replies"][0].text == ANSWER
    with pytest.raises(haystack.core.errors.PipelineRuntimeError) as caught:
        pipeline_of(llm=guard_generator(plain, guard)).run(
            {"llm": {"messages": [Message.from_user(ATTACK)]}}
        )
    assert isinstance(caught.value.__cause__, Blocked)
    with pytest.raises(GuardrailError, match="without its guard"):
        pipeline.to_dict()


def documents(*texts: str) -> list[Any]:
    return [haystack.Document(content=text) for text in texts]


def test_documents_are_judged_or_sorted_out(guard: Guard) -> None:
    good, bad = documents("Open from 9 to 5."), documents(PAGE)
    assert document_guard(guard).run(documents=good) == {"documents": good, "blocked": []}
    ways: list[Callable[[Any], Any]] = [
        lambda made: made.run(documents=good + bad),
        lambda made: asyncio.run(made.run_async(documents=good + bad)),
    ]
    for run in ways:
        with pytest.raises(Blocked):
            run(document_guard(guard))
        assert run(document_guard(guard, route=True)) == {"documents": good, "blocked": bad}


def test_texts_take_another_way(guard: Guard) -> None:
    model = Scripted(ANSWER)
    pipeline = pipeline_of(guard=text_guard(guard, route=True), other=text_guard(guard))
    pipeline.connect("guard.text", "other.text")
    assert pipeline.run({"guard": {"text": QUESTION}}) == {"other": {"text": QUESTION}}
    assert pipeline.run({"guard": {"text": ATTACK}}) == {"guard": {"blocked": ATTACK}}
    with pytest.raises(Blocked):
        asyncio.run(text_guard(guard).run_async(text=ATTACK))
    assert model.asked == []


def test_what_is_guarded_already_or_no_generator_is_refused(guard: Guard) -> None:
    model = guard_generator(Scripted(ANSWER), guard)
    assert guard_generator(model, guard) is model
    with pytest.raises(GuardrailError, match="another way"):
        guard_generator(model, Guard(classifier=ScriptedClassifier()))
    with pytest.raises(InputError, match="no generator"):
        guard_generator(text_guard(guard), guard)
    pipeline = pipeline_of(llm=Scripted(ANSWER))
    with pytest.raises(InputError, match="before you add it"):
        guard_generator(pipeline.get_component("llm"), guard)
