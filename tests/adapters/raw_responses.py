"""What holds for the raw and the streaming responses of the clients that have them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.adapters.conformance import (
    ATTACK,
    LONG,
    MANAGER,
    PLAIN,
    QUESTION,
    RESPONSE,
    STREAM,
    Copying,
    Dialect,
    Make,
    Shape,
    reached,
)
from tests.adapters.wire import PIECE, Wire
from tinyguardrail_sdk import Blocked, Guard, InputError
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.testing import ScriptedClassifier

Read = Callable[[Any], Any]
RAW = ("with_raw_response", "with_streaming_response")
WHOLE: dict[str, Read] = {
    "parse": lambda response: response.parse(),
    "read": lambda response: response.read(),
    "text": lambda response: response.text(),
    "json": lambda response: response.json(),
}
PIECES: dict[str, Read] = {
    "iter_bytes": lambda response: response.iter_bytes(),
    "iter_bytes of a size": lambda response: response.iter_bytes(20),
    "iter_text": lambda response: response.iter_text(),
    "iter_lines": lambda response: response.iter_lines(),
    "http_response": lambda response: (
        response.http_response.aiter_bytes()
        if "Async" in type(response).__name__
        else response.http_response.iter_bytes()
    ),
}
KINDS = {**dict.fromkeys(WHOLE, RESPONSE), **dict.fromkeys(PIECES, MANAGER)}
ENCODING = pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])


def raw_shapes(path: str, dialect: Dialect) -> list[Shape]:
    """The ways to ask the `create` of a resource for raw and streaming responses."""
    raw, streaming = (f"{path}.{kind}.create" for kind in RAW)
    stream = {"stream": True}
    return [
        Shape(raw, PLAIN, dialect, opened=WHOLE["parse"]),
        Shape(raw, STREAM, dialect, stream, opened=WHOLE["parse"]),
        Shape(streaming, RESPONSE, dialect, opened=WHOLE["read"]),
        Shape(streaming, MANAGER, dialect, stream, opened=PIECES["iter_lines"]),
    ]


def _bytes_under(stream: Any) -> Any:
    is_async = "Async" in type(stream).__name__
    return stream.response.aiter_bytes() if is_async else stream.response.iter_bytes()


class RawResponses(Copying):
    """The rules; the first shape's resource is asked."""

    def read(
        self,
        client: Any,
        guard: Checker | None,
        reading: str,
        out: list[Any] | None = None,
        **more: Any,
    ) -> Any:
        """Read a streaming response in one of the ways; pieces are joined."""
        plain = self.shapes[0]
        path = f"{plain.path.rpartition('.')[0]}.with_streaming_response.create"
        shape = Shape(path, KINDS[reading], plain.dialect, more, opened=(WHOLE | PIECES)[reading])
        read = self.run(client, guard, shape, plain.dialect.ask(QUESTION), out)
        if reading == "iter_lines":
            return read
        return type(read[0])().join(read) if isinstance(read[0], str | bytes) else repr(read)

    def _shape(self, kind: str) -> Shape:
        path = f"{self.shapes[0].path.rpartition('.')[0]}.{kind}.create"
        return Shape(path, PLAIN if kind == RAW[0] else RESPONSE, self.shapes[0].dialect)

    @ENCODING
    @pytest.mark.parametrize("reading", [*WHOLE, *PIECES])
    def test_every_way_to_read_an_answer_is_judged(
        self, form: Make, guard: Guard, wire: Wire, reading: str, compressed: bool
    ) -> None:
        wire.compressed = compressed
        plain = self.read(form(wire, 0), None, reading)
        assert self.read(form(wire, 0), guard, reading) == plain
        assert wire.text in str(plain)
        wire.text = ATTACK
        out: list[Any] = []
        with pytest.raises(Blocked):
            self.read(form(wire, 0), guard, reading, out)
        assert out == []

    @ENCODING
    @pytest.mark.parametrize("reading", PIECES)
    def test_every_way_to_read_a_stream_is_held_back(
        self, form: Make, guard: Guard, wire: Wire, reading: str, compressed: bool
    ) -> None:
        wire.text, wire.compressed = LONG, compressed
        plain = self.read(form(wire, 0), None, reading, stream=True)
        assert self.read(form(wire, 0), guard, reading, stream=True) == plain
        wire.text += ATTACK
        out: list[Any] = []
        with pytest.raises(Blocked):
            self.read(form(wire, 0), guard, reading, out, stream=True)
        assert len(out) > len(LONG) / PIECE / 2
        assert ATTACK[:PIECE] not in repr(out)

    @pytest.mark.parametrize("kind", RAW)
    def test_what_was_made_before_is_made_anew(
        self, form: Make, guard: Guard, wire: Wire, kind: str
    ) -> None:
        path = self.shapes[0].path.split(".")
        paths = [".".join([*path[:at], kind, *path[at:]]) for at in range(len(path))]
        for each in paths:
            client = form(wire, 0)
            reached(client, each)
            shape = Shape(each, PLAIN if kind == RAW[0] else RESPONSE, self.shapes[0].dialect)
            with pytest.raises(Blocked):
                self.run(client, guard, shape, shape.dialect.ask(ATTACK))
        assert wire.bodies == []

    @pytest.mark.parametrize("kind", RAW)
    def test_undo_gives_them_back(self, form: Make, guard: Guard, wire: Wire, kind: str) -> None:
        client = form(wire, 0)
        wrap(client, guard).undo()
        shape = self._shape(kind)
        self.run(client, None, shape, shape.dialect.ask(ATTACK))
        assert len(wire.bodies) == 1

    @pytest.mark.parametrize("kind", RAW)
    def test_those_of_copies_are_judged(
        self, form: Make, copied: Read, guard: Guard, wire: Wire, kind: str
    ) -> None:
        client, shape = form(wire, 0), self._shape(kind)
        wrap(client, guard)
        with pytest.raises(Blocked):
            self.run(copied(client), None, shape, shape.dialect.ask(ATTACK))
        assert wire.bodies == []

    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("kind", RAW)
    @pytest.mark.parametrize(
        "body",
        [
            (b"Paris", "text/plain"),
            (b'"Paris"', "application/json"),
            (b'{"choices": [1], "content": 1}', "application/json"),
            (json.dumps({"result": ATTACK}).encode(), "application/json"),
            (json.dumps({"result": "Paris"}).encode(), "application/json"),
            (b'{"choices": [], "choices": [], "content": [], "content": []}', "application/json"),
            ('{"choices": [], "content": []}'.encode("utf-16"), "text/json; charset=utf-16"),
            (b"\0\0\0\7Paris", "application/vnd.amazon.eventstream"),
            (b"Paris\n\n", "text/event-stream"),
            (b"data: Paris\n\n", "text/event-stream"),
            (b'data: {"result": "Paris"}\n\n', "text/event-stream"),
            (b"data: [DONE] Paris\n\n", "text/event-stream"),
            (b"event: x\ndata: {}\nParis\n\n", "text/event-stream"),
        ],
    )
    def test_a_body_that_cannot_be_read_is_not_released(
        self,
        form: Make,
        guard: Guard,
        wire: Wire,
        body: tuple[bytes, str],
        kind: str,
        stream: bool,
    ) -> None:
        wire.body = body
        path = f"{self.shapes[0].path.rpartition('.')[0]}.{kind}.create"
        read = MANAGER if kind == RAW[1] else STREAM if stream else PLAIN
        opened = PIECES["iter_bytes"] if kind == RAW[1] else WHOLE["parse"]
        shape = Shape(path, read, self.shapes[0].dialect, {"stream": stream}, opened)
        out: list[Any] = []
        with pytest.raises(InputError, match="must be|ask "):
            self.run(form(wire, 0), guard, shape, shape.dialect.ask(QUESTION), out)
        assert out == []

    @pytest.mark.parametrize(
        "event",
        [
            f"id: {ATTACK}\n\n",
            f"event: {ATTACK}\ndata: [DONE]\n\n",
            f"retry: {ATTACK}\n\n",
            f'data: {{"type": "unheard.of", "said": [{{"text": "{ATTACK}"}}]}}\n\n',
            f'data: {{"error": {{"message": "{ATTACK}"}}}}\n\n',
        ],
    )
    def test_all_that_an_event_says_is_judged(
        self, form: Make, guard: Guard, wire: Wire, event: str
    ) -> None:
        wire.body = event.encode(), "text/event-stream"
        out: list[Any] = []
        with pytest.raises(Blocked):
            self.read(form(wire, 0), guard, "iter_bytes", out, stream=True)
        assert out == []

    @pytest.mark.parametrize(
        "alive",
        [
            ": still working\n\n",
            f": {ATTACK}\r\n\r\n",
            "event: ping\ndata:\n\n",
            'event: ping\ndata: {"type": "ping"}\n\n',
            "retry: 3000\n\n",
        ],
    )
    def test_what_keeps_a_connection_alive_goes_on_unread(
        self,
        form: Make,
        guard: Guard,
        classifier: ScriptedClassifier,
        wire: Wire,
        alive: str,
    ) -> None:
        wire.body = alive.encode(), "text/event-stream"
        plain = self.read(form(wire, 0), None, "iter_bytes", stream=True)
        assert self.read(form(wire, 0), guard, "iter_bytes", stream=True) == plain
        assert [text for text, _ in classifier.calls] == [QUESTION]

    def test_the_response_that_a_stream_is_made_of_is_judged(
        self, form: Make, guard: Guard, wire: Wire
    ) -> None:
        plain = self.shapes[0]
        shape = Shape(plain.path, STREAM, plain.dialect, {"stream": True}, _bytes_under)
        wire.text = LONG
        before = b"".join(self.run(form(wire, 0), None, shape, shape.dialect.ask(QUESTION)))
        guarded = self.run(form(wire, 0), guard, shape, shape.dialect.ask(QUESTION))
        assert b"".join(guarded) == before
        wire.text += ATTACK
        out: list[Any] = []
        with pytest.raises(Blocked):
            self.run(form(wire, 0), guard, shape, shape.dialect.ask(QUESTION), out)
        assert out
        assert ATTACK[:PIECE] not in repr(out)
