import asyncio
import base64
from typing import Any

import pytest

from tests.frameworks.langchain_fakes import (
    CALL,
    LONG,
    STREAMS,
    THOUGHTS,
    WHY,
    Broken,
    Chunk,
    Model,
    Streamer,
    ainvoke,
    every_way,
    invoke,
    made,
    messages,
    pieces,
)
from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, CheckFailed, Delay, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters.langchain import guard_model
from tinyguardrail_sdk.testing import ScriptedClassifier

callbacks: Any = pytest.importorskip("langchain_core.callbacks", reason=WHY)
caches: Any = pytest.importorskip("langchain_core.caches", reason=WHY)


CODED = base64.b64encode(PAGE.encode()).decode()


class Listener(callbacks.BaseCallbackHandler):  # type: ignore[misc]
    """Writes down the tokens that it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_llm_new_token(self, token: Any, **_: Any) -> None:
        self.told.append(token)

    def on_llm_end(self, response: Any, **_: Any) -> None:
        self.told.append(response.generations[0][0].message.content)


ATTACKS = [
    [("human", ATTACK)],
    [("human", QUESTION), ("ai", "x"), ("human", [{"type": "text", "text": ATTACK}])],
    [
        ("human", QUESTION),
        messages.AIMessage("", tool_calls=[CALL]),
        messages.ToolMessage(PAGE, tool_call_id="call_1"),
    ],
    [("human", [{"type": "text-plain", "text": PAGE, "mime_type": "text/plain"}])],
    [("human", [{"type": "text-plain", "base64": CODED, "mime_type": "text/plain"}])],
    [("human", [{"type": "file", "base64": CODED, "mime_type": "text/csv"}])],
]


@every_way
def test_benign_calls_of_a_model_are_as_without_a_guard(guard: Guard, call: Any) -> None:
    def said(answer: Any) -> list[Any]:
        found = answer if isinstance(answer, list) else [answer]
        return [(type(each), each.content) for each in found]

    plain, kept = made(ANSWER), made(ANSWER)
    model = guard_model(kept, guard)
    assert isinstance(model, Model)
    assert said(call(model, [("system", ATTACK), ("human", QUESTION)])) == said(
        call(plain, QUESTION)
    )
    assert model.lc_id() == plain.lc_id()


@every_way
@pytest.mark.parametrize("given", ATTACKS, ids=lambda each: str(each[-1])[:30])
def test_an_attack_does_not_reach_the_model(guard: Guard, call: Any, given: Any) -> None:
    model = made(ANSWER)
    with pytest.raises(Blocked):
        call(guard_model(model, guard), given)
    assert model.asked == []


@every_way
@pytest.mark.parametrize(
    "answer",
    [
        f"{ATTACK} and more",
        messages.AIMessage(ATTACK, tool_calls=[CALL]),
        messages.AIMessage(
            "", additional_kwargs={"function_call": {"name": "look", "arguments": ATTACK}}
        ),
    ],
)
def test_no_token_of_an_attack_is_told(guard: Guard, call: Any, answer: Any) -> None:
    listener, model = Listener(), guard_model(made(answer), guard)
    with pytest.raises(Blocked):
        call(model, QUESTION, {"callbacks": [listener]})
    assert "".join(listener.told) == ""


@every_way
@pytest.mark.parametrize(
    "answer",
    [
        messages.AIMessage("", additional_kwargs={"reasoning_content": ATTACK}),
        messages.AIMessage("", additional_kwargs={"reasoning": {"summary": [{"text": ATTACK}]}}),
    ],
)
def test_no_token_of_reasoning_with_an_attack_is_told(guard: Guard, call: Any, answer: Any) -> None:
    listener, model = Listener(), guard_model(made(answer), guard)
    with pytest.raises(Blocked):
        call(model, QUESTION, {"callbacks": [listener]})
    assert listener.told == []


@pytest.mark.parametrize("call", [invoke, ainvoke])
def test_an_attack_in_a_tool_call_is_not_told(guard: Guard, call: Any) -> None:
    answer = messages.AIMessage("", tool_calls=[CALL | {"args": {"city": ATTACK}}])
    with pytest.raises(Blocked):
        call(guard_model(made(answer), guard), QUESTION)


@every_way
@pytest.mark.parametrize("kind", STREAMS)
def test_no_chunk_of_an_attack_is_released(guard: Guard, call: Any, kind: str) -> None:
    assert_nothing_is_released(guard, call, STREAMS[kind])


@every_way
@pytest.mark.parametrize("kind", THOUGHTS)
def test_no_chunk_of_reasoning_with_an_attack_is_released(
    guard: Guard, call: Any, kind: str
) -> None:
    assert_nothing_is_released(guard, call, THOUGHTS[kind])


def assert_nothing_is_released(guard: Guard, call: Any, chunks: list[Any]) -> None:
    model = guard_model(Streamer(chunks=chunks), guard)
    out: list[Any] = []
    listener = Listener()
    with pytest.raises(Blocked):
        call(model, QUESTION, {"callbacks": [listener]})
    with pytest.raises(Blocked):
        out.extend(model.stream(QUESTION))
    assert (out, listener.told) == ([], [])


def test_a_long_stream_flows_until_the_attack(guard: Guard) -> None:
    chunks = [Chunk(each) for each in pieces(LONG + ATTACK)]
    model = guard_model(Streamer(chunks=chunks), guard, delay=Delay(hold=60, every=40))
    said: list[str] = []
    with pytest.raises(Blocked):
        said.extend(each.content for each in model.stream(QUESTION))
    assert len(LONG) - 120 < len("".join(said)) <= len(LONG)


def test_events_of_the_newer_protocol_are_held_back(guard: Guard) -> None:
    listener = Listener()
    model = guard_model(Streamer(chunks=STREAMS["text"]), guard)

    told: list[str] = []

    async def events() -> None:
        async for each in model.astream_events(QUESTION, {"callbacks": [listener]}, version="v2"):
            told.append(each["event"])

    with pytest.raises(Blocked):
        asyncio.run(events())
    assert told == ["on_chat_model_start"]
    assert "".join(listener.told) == ""


def test_an_answer_of_a_cache_is_not_taken(guard: Guard) -> None:
    cache = caches.InMemoryCache()
    Model(messages=iter([ATTACK]), asked=[], cache=cache).invoke(QUESTION)
    model = Model(messages=iter([ANSWER]), asked=[], cache=cache)
    assert guard_model(model, guard).invoke(QUESTION).content == ANSWER


def test_a_model_is_guarded_once(guard: Guard) -> None:
    model = guard_model(made(ANSWER), guard)
    assert guard_model(model, guard) is model
    with pytest.raises(GuardrailError, match="another way"):
        guard_model(model, Guard(classifier=ScriptedClassifier()))
    with pytest.raises(InputError, match="no chat model"):
        guard_model(object(), guard)
    with pytest.raises(Blocked):
        guard_model(made(ANSWER).bind(stop=["x"]), guard).invoke(ATTACK)
    with pytest.raises(Blocked):
        model.model_copy(update={"name": "copied"}).invoke(ATTACK)


@every_way
@pytest.mark.parametrize(("asked", "error"), [("explode", CheckFailed), (QUESTION, OSError)])
def test_errors_pass_through(guard: Guard, call: Any, asked: str, error: type[Exception]) -> None:
    model = guard_model(Broken(messages=iter([])), guard)
    with pytest.raises(error):
        call(model, asked)


def test_concurrent_calls_do_not_mix(guard: Guard) -> None:
    model = guard_model(Streamer(chunks=[Chunk(ANSWER)]), guard)
    answers = asyncio.run(model.abatch([QUESTION, ATTACK] * 6, return_exceptions=True))
    assert [type(each) for each in answers] == [messages.AIMessage, Blocked] * 6
