"""Anthropic's threads, which the server holds: each turn of one calls the client by itself."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.adapters.anthropic_requests import anthropic, asked, make, tool_of
from tests.adapters.conformance import ATTACK, FOUND, LONG, QUESTION, reached
from tests.adapters.shapes import awaited
from tests.adapters.wire import PIECE, Wire
from tinyguardrail_sdk import Blocked, Guard
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.testing import ScriptedClassifier

THREAD = "beta.messages.thread"
if not hasattr(anthropic.resources.beta.messages.Messages, "thread"):
    pytest.skip(f"this version has no {THREAD}", allow_module_level=True)

Out = list[Any]


async def send(thread: Any, text: str, out: Out) -> None:
    out.append(await awaited(thread.send({"role": "user", "content": text})))


async def parse(thread: Any, text: str, out: Out) -> None:
    out.append(await awaited(thread.parse({"role": "user", "content": text})))


async def stream(thread: Any, text: str, out: Out) -> None:
    manager = thread.stream({"role": "user", "content": text})
    if hasattr(manager, "__aenter__"):
        async with manager as events:
            async for event in events:
                out.append(event)
    else:
        with manager as events:
            out.extend(events)


WAYS: dict[str, Callable[[Any, str, Out], Any]] = {"send": send, "parse": parse, "stream": stream}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@pytest.fixture(params=["Anthropic", "AsyncAnthropic"])
def client(request: pytest.FixtureRequest, wire: Wire) -> Iterator[Any]:
    made = make(request.param)(wire, 0)
    yield made
    asyncio.run(made.close()) if request.param.startswith("Async") else made.close()


def begun(client: Any, **more: Any) -> Any:
    """A thread that has sent nothing yet."""
    asking = {key: value for key, value in asked("").items() if key != "messages"}
    return reached(client, THREAD)(**asking, **more)


def turns(thread: Any, way: Any, *texts: str) -> Out:
    out: Out = []

    async def main() -> None:
        for text in texts:
            await way(thread, text, out)

    asyncio.run(main())
    return out


@every_way
def test_benign_turns_are_as_without_a_guard(
    client: Any, guard: Guard, wire: Wire, way: Any
) -> None:
    plain = turns(begun(client), way, QUESTION, "And of Italy?")
    wrap(client, guard)
    guarded = turns(begun(client), way, QUESTION, "And of Italy?")
    assert repr(guarded) == repr(plain)
    assert wire.bodies[:2] == wire.bodies[2:]
    assert len(wire.bodies[3]["messages"]) == 1  # the server holds the rest


@every_way
def test_each_text_is_checked_once(
    client: Any, guard: Guard, classifier: ScriptedClassifier, wire: Wire, way: Any
) -> None:
    wrap(client, guard)
    turns(begun(client), way, QUESTION)
    assert [text for text, _ in classifier.calls] == [QUESTION, wire.text]


@every_way
def test_an_attack_of_the_user_is_not_sent(client: Any, guard: Guard, wire: Wire, way: Any) -> None:
    wrap(client, guard)
    with pytest.raises(Blocked):
        turns(begun(client), way, QUESTION, ATTACK)
    assert len(wire.bodies) == 1


@every_way
def test_an_attack_in_the_answer_is_not_released(
    client: Any, guard: Guard, wire: Wire, way: Any
) -> None:
    wire.text = f"{LONG}{ATTACK}"
    wrap(client, guard)
    thread = begun(client)
    out: list[Any] = []
    with pytest.raises(Blocked):
        asyncio.run(way(thread, QUESTION, out))
    assert ATTACK[:PIECE] not in repr(out)
    assert ATTACK not in repr(thread.messages)
    assert thread.previous_message_id is None  # the next turn does not go on from it


def test_an_attack_in_a_tool_result_is_not_sent(client: Any, guard: Guard, wire: Wire) -> None:
    wire.arguments = '{"city": "Paris"}'
    wrap(client, guard)
    tools = [tool_of("Async" in type(client).__name__, lambda _: FOUND)]
    first = [{"role": "user", "content": QUESTION}]
    runner = begun(client, messages=first, tools=tools).tool_runner()
    with pytest.raises(Blocked):
        asyncio.run(_until_done(runner))
    assert len(wire.bodies) == 1


def test_undo_gives_back_the_client_but_no_thread(client: Any, guard: Guard, wire: Wire) -> None:
    with wrap(client, guard) as guarded:
        thread = begun(guarded)
    for held in (thread, thread.fork()):
        with pytest.raises(Blocked):
            turns(held, send, ATTACK)
    assert wire.bodies == []
    turns(begun(client), send, ATTACK)
    assert len(wire.bodies) == 1


async def _until_done(runner: Any) -> Any:
    return await awaited(runner.until_done())
