"""What holds for the guarded client of every vendor, each way it can be called.

A test module says what is the vendor's own and inherits the rest:

    cohere = installed("cohere", extra="cohere")

    class TestCohere(Conformance):
        forms = {"ClientV2": lambda wire, retries: cohere.ClientV2("none", base_url=wire.url)}
        shapes = [Shape("chat", PLAIN, DIALECT), Shape("chat_stream", STREAM, DIALECT)]
        refused = ["generate", "v2.chat"]
        limited = cohere.TooManyRequestsError

What the vendor says on the wire is in `replies`. What a test module needs of `shapes` is had here.
"""

import asyncio
import gc
import warnings
from collections.abc import Awaitable, Callable
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.adapters.reasoning import Reasoning
from tests.adapters.shapes import (
    ATTACK,
    CODED,
    COLLECTED,
    FILE_URL,
    FOUND,
    LONG,
    MANAGER,
    NEVER,
    PLAIN,
    QUESTION,
    RESPONSE,
    STREAM,
    Dialect,
    Make,
    Request,
    Shape,
    awaited,
    conversation,
    installed,
    reached,
)
from tests.adapters.wire import PIECE, Wire
from tinyguardrail_sdk import Blocked, Guard, GuardrailError
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.testing import ScriptedClassifier

__all__ = [
    "ATTACK",
    "CODED",
    "FILE_URL",
    "FOUND",
    "LONG",
    "MANAGER",
    "PLAIN",
    "QUESTION",
    "RESPONSE",
    "STREAM",
    "Conformance",
    "Copying",
    "Dialect",
    "Make",
    "Request",
    "Shape",
    "conversation",
    "installed",
    "parameters",
    "reached",
]

ROOT = Path(__file__).parents[2]


class Conformance(Reasoning):
    """The rules; a subclass tells of the vendor.

    Attributes:
        refused: Paths of what a guarded client must not do.
        limited: What the client raises when the server says 429.
        example: The title of the vendor's part of `docs/clients.md`, and how a client is made there
            and is to be made here; `{url}` is the server's.
    """

    refused: ClassVar[list[str]]
    limited: ClassVar[type[Exception]]
    example: ClassVar[tuple[str, str, str]]

    @pytest.mark.parametrize("arguments", [None, '{"city": "Paris"}'])
    def test_benign_calls_are_as_without_a_guard(
        self, form: Make, shape: Shape, guard: Guard, wire: Wire, arguments: str | None
    ) -> None:
        wire.arguments = arguments
        plain = self.run(form(wire, 0), None, shape, shape.dialect.ask(QUESTION))
        guarded = self.run(form(wire, 0), guard, shape, shape.dialect.ask(QUESTION))
        assert repr(guarded) == repr(plain)
        assert [type(each) for each in guarded] == [type(each) for each in plain]
        assert "Paris" in repr(guarded)
        assert wire.bodies[0] == wire.bodies[1]

    def test_an_attack_of_the_user_is_not_sent(
        self, form: Make, shape: Shape, guard: Guard, wire: Wire
    ) -> None:
        with pytest.raises(Blocked):
            self.run(form(wire, 0), guard, shape, shape.dialect.ask(ATTACK))
        assert wire.bodies == []

    def test_an_attack_elsewhere_in_the_request_is_not_sent(
        self, form: Make, hostile: tuple[Shape, Request], guard: Guard, wire: Wire
    ) -> None:
        with pytest.raises(Blocked):
            self.run(form(wire, 0), guard, *hostile)
        assert wire.bodies == []

    def test_an_attack_in_the_answer_is_not_released(
        self, form: Make, shape: Shape, guard: Guard, wire: Wire
    ) -> None:
        wire.text = f"{ATTACK} and more"
        out: list[Any] = []
        with pytest.raises(Blocked):
            self.run(form(wire, 0), guard, shape, shape.dialect.ask(QUESTION), out)
        assert len(wire.bodies) == 1
        assert ATTACK[:PIECE] not in repr(out)

    def test_an_attack_in_a_tool_call_is_not_released(
        self, form: Make, calling: Shape, guard: Guard, wire: Wire
    ) -> None:
        wire.arguments = f'{{"n": "{ATTACK}"}}'
        out: list[Any] = []
        with pytest.raises(Blocked):
            self.run(form(wire, 0), guard, calling, calling.dialect.ask(QUESTION), out)
        assert ATTACK[:PIECE] not in repr(out)

    def test_a_long_stream_flows_until_the_attack(
        self, form: Make, streaming: Shape, guard: Guard, wire: Wire
    ) -> None:
        wire.text = LONG + ATTACK + LONG
        self.flows_until_the_attack(form(wire, 0), streaming, guard)

    def test_closing_early_hangs_up(
        self, form: Make, leaving: Shape, guard: Guard, wire: Wire
    ) -> None:
        wire.text, wire.endless = LONG, True
        client = form(wire, 0)
        wrap(client, guard)

        async def main() -> None:
            async with self.alive(client):
                async with leaving.open(client, leaving.dialect.ask(QUESTION)) as chunks:
                    await anext(chunks)
                del chunks
                # The client itself is open still.
                assert await _hung_up(wire, collecting=leaving.hangs_up == COLLECTED)

        asyncio.run(main())

    def test_errors_of_the_client_pass_through(
        self, form: Make, shape: Shape, guard: Guard, wire: Wire
    ) -> None:
        wire.failures = [429]
        with pytest.raises(self.limited):
            self.run(form(wire, 0), guard, shape, shape.dialect.ask(QUESTION))

    def test_retries_and_helpers_check_once(
        self,
        form: Make,
        shape: Shape,
        guard: Guard,
        classifier: ScriptedClassifier,
        wire: Wire,
    ) -> None:
        wire.failures = [500] if shape.retries else []
        self.run(form(wire, 1), guard, shape, shape.dialect.ask(QUESTION))
        assert len(wire.bodies) == 1 + shape.retries
        assert [text for text, _ in classifier.calls] == [QUESTION, wire.text]

    def test_wrapping_twice_checks_once(
        self, form: Make, guard: Guard, classifier: ScriptedClassifier, wire: Wire
    ) -> None:
        client, shape = form(wire, 0), self.shapes[0]
        assert wrap(client, guard) is wrap(client, guard)
        self.run(client, guard, shape, shape.dialect.ask(QUESTION))
        assert [text for text, _ in classifier.calls] == [QUESTION, wire.text]

    def test_another_guard_on_top_is_refused(self, form: Make, guard: Guard, wire: Wire) -> None:
        client = form(wire, 0)
        wrap(client, guard)
        with pytest.raises(GuardrailError, match="undo"):
            wrap(client, Guard(classifier=ScriptedClassifier()))

    def test_undo_restores_the_client(self, form: Make, guard: Guard, wire: Wire) -> None:
        client, shape = form(wire, 0), self.shapes[0]
        before = self._owned(client)
        handle = wrap(client, guard)
        assert self._owned(client) != before
        handle.undo()
        handle.undo()
        after = self._owned(client)
        for (_, own), (_, old) in zip(after, before, strict=True):
            # Some clients make their resources when they are first asked for.
            made_meanwhile = [own.pop(name) for name in own.keys() - old.keys()]
            assert not any(map(callable, made_meanwhile))
        assert after == before
        self.run(client, None, shape, shape.dialect.ask(ATTACK))
        assert len(wire.bodies) == 1

    def test_concurrent_calls_do_not_mix(
        self, form: Make, shape: Shape, guard: Guard, wire: Wire
    ) -> None:
        client = form(wire, 0)
        wrap(client, guard)

        async def one(number: int) -> str:
            text = ATTACK if number % 2 else f"Question {number}"
            out: list[Any] = []
            try:
                await shape.consume(client, shape.dialect.ask(text), out)
            except Blocked:
                return f"blocked {len(out)}"
            return "answered" if out else "nothing"

        def in_a_thread(number: int) -> Awaitable[str]:
            return asyncio.to_thread(lambda: asyncio.run(one(number)))

        async def main() -> list[str]:
            start = one if shape.awaits(client) else in_a_thread
            async with self.alive(client):
                return await asyncio.gather(*map(start, range(6)))

        assert asyncio.run(main()) == ["answered", "blocked 0"] * 3
        assert len(wire.bodies) == 3

    def test_what_is_not_guarded_is_refused(
        self, form: Make, refused: str, guard: Guard, wire: Wire
    ) -> None:
        client = form(wire, 0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is experimental
            reached(form(wire, 0), refused)
        wrap(client, guard)
        with pytest.raises(GuardrailError, match="not guarded yet"):
            asyncio.run(awaited(reached(client, refused)()))

    def test_the_documented_example_runs(
        self, wire: Wire, capsys: pytest.CaptureFixture[str]
    ) -> None:
        title, there, here = self.example
        guide = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
        section = guide.split(f"\n## {title}\n")[1].split("\n## ")[0]
        code = section.split("```python\n")[1].split("```")[0]
        assert len(code.splitlines()) < 25
        assert code.count(there) == 1
        names: dict[str, Any] = {}
        exec(compile(code.replace(there, here.format(url=wire.url)), "clients.md", "exec"), names)
        if "client" in names:  # what a context manager gave is closed already
            asyncio.run(self.close(names["client"]))
        assert capsys.readouterr().out == f"{wire.text}\n{wire.text}\nblocked: injection\n"
        assert len(wire.bodies) == 2

    def _owned(self, client: Any) -> list[Any]:
        """What the instances have that can be replaced."""
        paths = {shape.path.rpartition(".")[0] for shape in self.shapes}
        owners = [client, *(attrgetter(path)(client) for path in sorted(paths) if path)]
        return [(type(owner), {**vars(owner)}) for owner in owners]


async def _hung_up(wire: Wire, *, collecting: bool) -> bool:
    """Wait until the client has hung up, for at most 20 seconds."""
    for _ in range(200):
        if collecting:
            gc.collect()  # each frees what the one before has closed
        if await asyncio.to_thread(wire.hung_up.wait, 0.1):
            return True
    return False


class Copying(Conformance):
    """The rules for a vendor whose clients make copies of themselves.

    Attributes:
        copies: What makes one.
    """

    copies: ClassVar[list[Callable[[Any], Any]]]

    def test_copies_are_guarded(
        self, form: Make, copied: Callable[[Any], Any], guard: Guard, wire: Wire
    ) -> None:
        client, shape = form(wire, 0), self.shapes[0]
        wrap(client, guard)
        with pytest.raises(Blocked):
            self.run(copied(client), None, shape, shape.dialect.ask(ATTACK))
        assert wire.bodies == []


def parameters(kind: type[Conformance]) -> dict[str, list[Any]]:
    """For the arguments of the rules, what they are run with."""
    streams = [shape for shape in kind.shapes if shape.kind in (STREAM, MANAGER)]
    shapes = {
        "shape": kind.shapes,
        "calling": [shape for shape in kind.shapes if shape.dialect.calls],
        "reasoning": [shape for shape in kind.shapes if shape.dialect.reasons],
        "thinking": [shape for shape in streams if shape.dialect.reasons],
        "streaming": streams,
        "leaving": [shape for shape in streams if shape.hangs_up != NEVER],
    }
    return {
        **{name: [pytest.param(each, id=str(each)) for each in shapes[name]] for name in shapes},
        "form": [pytest.param(make, id=name) for name, make in kind.forms.items()],
        "hostile": [
            pytest.param((shape, request), id=f"{shape}-{name}")
            for shape in kind.shapes
            for name, request in shape.dialect.hostile.items()
        ],
        "copied": list(getattr(kind, "copies", ())),
        "refused": list(kind.refused),
    }
