"""A loopback server that speaks the wire formats of the vendors, and counts what arrives.

It answers every request with `text`, and with `reasoning` before it and `arguments` of a tool call
behind it where they are set: whole, or where the request asks for a stream as events with a few
characters each.
"""

import gzip
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from typing import Any

PIECE = 6


@dataclass(frozen=True)
class Said:
    """What a model says.

    Attributes:
        text: The answer.
        arguments: Of a tool call, as JSON; None without one.
        reasoning: What it thought before; None where it tells nothing of it.
    """

    text: str
    arguments: str | None = None
    reasoning: str | None = None


@dataclass(frozen=True)
class Reply:
    """How a vendor answers.

    Attributes:
        whole: Makes the answer, sent as JSON, of what is said.
        events: Makes the events of a stream likewise.
        kind: The content type of a stream.
        always: Whether this is a stream without being asked for one in the request.
    """

    whole: Callable[[Said], Any]
    events: Callable[[Said], Iterator[str] | Iterator[bytes]]
    kind: str = "text/event-stream"
    always: bool = False


class Wire:
    """The server; a context manager that runs it in a thread.

    Attributes:
        text: What the model says.
        arguments: Arguments of the tool call that it makes, as JSON.
        reasoning: What it thinks before.
        failures: Statuses of the next answers, before the good one.
        without: Parts of names of events that are left out of streams.
        body: What is sent in place of an answer, and its content type.
        compressed: Whether answers are.
        endless: Whether streams go on in the middle until the client hangs up.
        hung_up: Set when it did.
        bodies: The requests that arrived.
    """

    def __init__(self, replies: Mapping[str, Reply]) -> None:
        self.text = "The capital of France is Paris."
        self.arguments: str | None = None
        self.reasoning: str | None = None
        self.failures: list[int] = []
        self.without: tuple[str, ...] = ()
        self.body: tuple[bytes, str] | None = None
        self.compressed = False
        self.endless = False
        self.hung_up = threading.Event()
        self.bodies: list[Any] = []
        self._replies = replies
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"wire": self})
        )
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def said(self) -> Said:
        """What the model says."""
        return Said(self.text, self.arguments, self.reasoning)

    def __enter__(self) -> "Wire":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def events(self, reply: Reply) -> list[bytes]:
        """The events of a stream, but for those that are left out."""
        made: Iterable[str | bytes] = reply.events(self.said)
        kept = (each for each in made if isinstance(each, bytes) or self._keeps(each))
        return [each.encode() if isinstance(each, str) else each for each in kept]

    def _keeps(self, event: str) -> bool:
        return not any(each in event.partition("\n")[0] for each in self.without)

    def reply_at(self, path: str) -> Reply:
        """How the vendor answers at a path."""
        return next(self._replies[each] for each in self._replies if path.endswith(each))

    def knows(self, path: str) -> bool:
        """Whether there is an answer for a path."""
        return any(path.endswith(each) for each in self._replies)


class _Handler(BaseHTTPRequestHandler):
    wire: Wire  # of a subclass
    disable_nagle_algorithm = True  # or each answer waits for an acknowledgement

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or "{}")
        wire = self.wire
        wire.bodies.append(body)
        path, _, query = self.path.partition("?")
        reply = wire.reply_at(path)
        if wire.failures:
            self._send(wire.failures.pop(0), "application/json", b'{"error": {}}')
        elif wire.body is not None:
            self._send(200, wire.body[1], wire.body[0])
        elif not (reply.always or body.get("stream") or "stream=true" in query):
            answer = json.dumps(reply.whole(wire.said))
            self._send(200, "application/json", answer.encode())
        elif wire.endless:
            self._send_endlessly(reply.kind, wire.events(reply))
        else:
            self._send(200, reply.kind, b"".join(wire.events(reply)))

    def do_GET(self) -> None:
        """Answer for what was stored; what else a proxy looks up is no request to a model."""
        if self.wire.knows(self.path.partition("?")[0]):
            self.do_POST()
        else:
            self.send_error(404)

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self._begin(status, kind)
        if self.wire.compressed:
            content = gzip.compress(content, mtime=0)
            self.send_header("content-encoding", "gzip")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_endlessly(self, kind: str, events: list[bytes]) -> None:
        self._begin(200, kind)
        self.end_headers()
        middle = len(events) // 2
        try:
            for event in (*events[:middle], *repeat(events[middle], 10**6)):
                self.wfile.write(event)
                self.wire.hung_up.wait(0.001)
        except OSError:
            self.wire.hung_up.set()

    def _begin(self, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("retry-after-ms", "1")

    def date_time_string(self, timestamp: float | None = None) -> str:
        return "Thu, 01 Jan 1970 00:00:00 GMT"  # answers are compared, headers and all

    def log_message(self, format: str, *args: Any) -> None:
        pass


def pieces(text: str) -> Iterator[str]:
    """A text in the pieces in which models say it."""
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE]


def event(data: Any, name: str | None = None) -> str:
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n"
