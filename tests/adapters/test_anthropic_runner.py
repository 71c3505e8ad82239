"""Every turn of Anthropic's tool runner, which calls the client by itself."""

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from tests.adapters.anthropic_requests import RUNNER, asked, events_of, make, tool_of
from tests.adapters.conformance import ATTACK, FOUND, LONG, QUESTION, reached
from tests.adapters.wire import PIECE, Wire
from tinyguardrail_sdk import Blocked, Guard
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.testing import ScriptedClassifier

WAYS = {
    "plain": {},
    "stream": {"stream": True},
    "eager": {"stream": True, "run_tools_eagerly": True},
    "whole history": {"thread": False},
    "whole history as a stream": {"thread": False, "stream": True},
}
OPEN, THEN = "It is open from 9 to 5.", "You can go there in the morning."


@pytest.fixture(params=["Anthropic", "AsyncAnthropic"])
def client(request: pytest.FixtureRequest, wire: Wire) -> Iterator[Any]:
    made = make(request.param)(wire, 0)
    yield made
    asyncio.run(made.close()) if request.param.startswith("Async") else made.close()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, client: Any) -> str:
    lacking = WAYS[request.param].keys() - inspect.signature(reached(client, RUNNER)).parameters
    if lacking:
        pytest.skip(f"this version has no tool runner with {' and '.join(sorted(lacking))}")
    return str(request.param)


class Tool:
    """What the model has called; after that it answers.

    Attributes:
        found: What it found.
        calls: With which arguments it was called.
    """

    def __init__(self, wire: Wire, found: str = OPEN, then: str = THEN) -> None:
        wire.arguments = '{"city": "Paris"}'
        self.found = found
        self.calls: list[str] = []
        self._wire = wire
        self._then = then

    def look(self, city: str) -> str:
        self.calls.append(city)
        self._wire.arguments, self._wire.text = None, self._then
        return self.found


def started(client: Any, way: str, tool: Tool) -> Any:
    """A runner that has sent nothing yet."""
    start = reached(client, RUNNER)
    tools = [tool_of("Async" in type(client).__name__, tool.look)]
    return start(**asked(QUESTION), tools=tools, **WAYS[way])


def went(runner: Any, out: list[Any]) -> None:
    """Go through a runner; what is released goes to `out`."""
    steps = events_of(runner) if "Streaming" in type(runner).__name__ else runner
    if not hasattr(runner, "__anext__"):
        out.extend(steps)
        return

    async def main() -> None:
        async for each in steps:
            out.append(each)

    asyncio.run(main())


def test_benign_turns_are_as_without_a_guard(
    client: Any, way: str, guard: Guard, wire: Wire
) -> None:
    said = wire.text
    plain: list[Any] = []
    went(started(client, way, Tool(wire)), plain)
    wire.text = said
    guarded: list[Any] = []
    wrap(client, guard)
    tool = Tool(wire)
    went(started(client, way, tool), guarded)
    assert repr(guarded) == repr(plain)
    assert tool.calls == ["Paris"]
    assert wire.bodies[:2] == wire.bodies[2:]


def test_each_text_is_checked_once(
    client: Any, way: str, guard: Guard, classifier: ScriptedClassifier, wire: Wire
) -> None:
    wrap(client, guard)
    said = wire.text
    went(started(client, way, Tool(wire)), [])
    texts = [text for text, _ in classifier.calls]
    assert len(texts) == len(set(texts))
    assert all(text in "\n".join(texts) for text in (QUESTION, said, "Paris", OPEN, THEN))


def test_an_attack_of_the_user_is_not_sent(client: Any, way: str, guard: Guard, wire: Wire) -> None:
    tools = [tool_of("Async" in type(client).__name__, str)]
    wrap(client, guard)
    with pytest.raises(Blocked):
        went(reached(client, RUNNER)(**asked(ATTACK), tools=tools, **WAYS[way]), [])
    assert wire.bodies == []


def test_an_attack_in_a_tool_result_is_not_sent(
    client: Any, way: str, guard: Guard, wire: Wire
) -> None:
    tool = Tool(wire, found=FOUND)
    wrap(client, guard)
    with pytest.raises(Blocked):
        went(started(client, way, tool), [])
    assert tool.calls == ["Paris"]
    assert len(wire.bodies) == 1


def test_an_attack_in_a_tool_call_runs_no_tool(
    client: Any, way: str, guard: Guard, wire: Wire
) -> None:
    tool = Tool(wire)
    wire.arguments = f'{{"n": "{ATTACK}"}}'
    wrap(client, guard)
    out: list[Any] = []
    with pytest.raises(Blocked):
        went(started(client, way, tool), out)
    assert tool.calls == []
    assert ATTACK[:PIECE] not in repr(out)


def test_an_attack_in_a_later_answer_is_not_released(
    client: Any, way: str, guard: Guard, wire: Wire
) -> None:
    tool = Tool(wire, then=f"{LONG}{ATTACK}")
    wrap(client, guard)
    out: list[Any] = []
    with pytest.raises(Blocked):
        went(started(client, way, tool), out)
    assert len(wire.bodies) == 2
    assert out
    assert ATTACK[:PIECE] not in repr(out)


@pytest.mark.parametrize("read", ["until_done", "loop"])
def test_what_is_added_to_a_turn_is_judged(
    client: Any, guard: Guard, wire: Wire, read: str
) -> None:
    wrap(client, guard)
    runner = started(client, "plain", Tool(wire))
    runner.append_messages({"role": "user", "content": ATTACK})
    with pytest.raises(Blocked):
        went(runner, []) if read == "loop" else _done(runner)
    assert wire.bodies == []


def test_undo_gives_back_the_client_but_no_runner(
    client: Any, way: str, guard: Guard, wire: Wire
) -> None:
    with wrap(client, guard) as guarded:
        runner = started(guarded, way, Tool(wire, found=FOUND))
    with pytest.raises(Blocked):
        went(runner, [])
    assert len(wire.bodies) == 1
    went(started(client, way, Tool(wire, found=FOUND)), [])
    assert len(wire.bodies) == 3


def _done(runner: Any) -> Any:
    done = runner.until_done()
    return asyncio.run(done) if inspect.iscoroutine(done) else done
