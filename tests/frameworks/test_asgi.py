import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Delay, Guard, InputError
from tinyguardrail_sdk.adapters._http import characters, events
from tinyguardrail_sdk.adapters.asgi import GuardMiddleware, Route, body_guard
from tinyguardrail_sdk.testing import ScriptedClassifier

WHY = "pip install 'tinyguardrail-sdk[asgi]' httpx"
fastapi: Any = pytest.importorskip("fastapi", reason=WHY)
responses: Any = pytest.importorskip("starlette.responses", reason=WHY)
pytest.importorskip("httpx", reason=WHY)
testclient: Any = pytest.importorskip("fastapi.testclient", reason=WHY)

FIELDS = {"message": "user", "results": "tool", "pages.text": "document", "history": "messages"}
ROUTES = {
    "/chat": Route(FIELDS, answer=["reply", "calls.arguments"]),
    "/stream/{kind}": Route(FIELDS, answer=["delta"]),
    "/text": Route(FIELDS, answer=["."]),
}
LONG = "The capital of France lies on the river Seine. " * 40
ATTACKS: list[Any] = [
    {"message": ATTACK},
    {"message": {"text": ATTACK}},
    {"results": ["fine", ATTACK]},
    {"results": {"page": ATTACK}},
    {"pages": [{"text": "fine"}, {"text": PAGE}]},
    {"pages": PAGE},
    {"history": [{"role": "tool", "content": ATTACK}]},
    {"history": [{"role": "user", "content": "zebra-"}, {"role": "user", "content": ATTACK}]},
    {"history": [{"role": "System", "content": ATTACK}]},
    {"history": [{"type": "system", "content": ATTACK}]},
]


class Server:
    """A FastAPI application that counts what reaches its routes.

    Attributes:
        said: What it answers.
        seen: The bodies that arrived.
        sent: The bytes of streams that it made.
    """

    def __init__(self) -> None:
        self.said: Any = {"reply": ANSWER, "n": 1}
        self.kind = "application/json"
        self.headers: dict[str, str] = {}
        self.seen: list[Any] = []
        self.lifespan: list[str] = []
        self.app = fastapi.FastAPI(lifespan=self._lifespan)
        self.app.post("/chat")(self._chat())
        self.app.post("/free")(self._chat())
        self.app.post("/text")(self._text())
        self.app.post("/stream/{kind}")(self._stream())
        self.app.websocket("/chat")(self._socket())

    @asynccontextmanager
    async def _lifespan(self, _: Any) -> AsyncIterator[None]:
        self.lifespan.append("up")
        yield
        self.lifespan.append("down")

    def _chat(self) -> Any:
        def chat(body: dict) -> Any:  # type: ignore[type-arg]
            self.seen.append(body)
            return self.said

        return chat

    def _text(self) -> Any:
        async def text() -> Any:
            return responses.Response(self.said, media_type=self.kind, headers=self.headers)

        return text

    def _stream(self) -> Any:
        async def stream(kind: str) -> Any:
            async def pieces() -> AsyncIterator[bytes]:
                for at in range(0, len(self.said), 7):
                    yield line(kind, self.said[at : at + 7])

            return responses.StreamingResponse(pieces(), media_type=KINDS[kind])

        return stream

    def _socket(self) -> Any:
        async def socket(websocket: fastapi.WebSocket) -> None:
            await websocket.accept()
            await websocket.send_text(await websocket.receive_text())
            await websocket.close()

        return socket


KINDS = {
    "events": "text/event-stream",
    "lines": "application/x-ndjson",
    "text": "text/plain; charset=utf-8",
}


def line(kind: str, text: str) -> bytes:
    data = json.dumps({"delta": text})
    made = {"events": f": ping\r\nevent: d\r\ndata: {data}\r\n\r\n", "lines": f"{data}\n"}
    return made.get(kind, text).encode()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def client(server: Server, guard: Guard) -> Iterator[Any]:
    server.app.add_middleware(
        GuardMiddleware,
        guard=guard,
        routes=ROUTES,
        max_body=10_000,
        delay=Delay(hold=60, every=40),
    )
    with testclient.TestClient(server.app, raise_server_exceptions=False) as made:
        yield made


def test_benign_bodies_pass_unchanged(client: Any, server: Server) -> None:
    body = {"message": QUESTION, "history": [{"role": "tool", "content": "9"}], "x": [1, None]}
    answer = client.post("/chat", json=body)
    assert (answer.status_code, answer.json()) == (200, server.said)
    assert server.seen == [body]


@pytest.mark.parametrize("body", ATTACKS, ids=json.dumps)
def test_an_attack_in_the_request_does_not_arrive(client: Any, server: Server, body: Any) -> None:
    answer = client.post("/chat", json={"message": QUESTION} | body)
    assert (answer.status_code, answer.json()) == (403, {"detail": "blocked: injection"})
    assert server.seen == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        (f'{{"message": "{ATTACK}", "message": "fine"}}', 400),
        ('{"history": [{"role": "wizard", "content": "x"}]}', 400),
        ("[" * 5_000, 400),
        (json.dumps({"message": "x" * 10_000}), 413),
    ],
)
def test_what_cannot_be_read_does_not_arrive(
    client: Any, server: Server, body: str, status: int
) -> None:
    answer = client.post("/chat", content=body, headers={"content-type": "text/plain"})
    assert answer.status_code == status
    assert isinstance(answer.json()["detail"], str)
    assert server.seen == []


@pytest.mark.parametrize("said", [{"reply": ATTACK}, {"calls": [{"arguments": {"to": ATTACK}}]}])
def test_an_attack_in_the_answer_is_not_sent(client: Any, server: Server, said: Any) -> None:
    server.said = said
    answer = client.post("/chat", json={"message": QUESTION})
    assert (answer.status_code, answer.json()) == (403, {"detail": "blocked: injection"})
    assert len(server.seen) == 1


def test_a_check_that_breaks_clears_nothing(client: Any, server: Server) -> None:
    assert client.post("/chat", json={"message": "explode"}).status_code == 500
    assert server.seen == []
    server.said = {"reply": "explode"}
    assert client.post("/chat", json={"message": QUESTION}).text == "Internal Server Error"


@pytest.mark.parametrize("kind", KINDS)
def test_benign_streams_are_byte_identical(client: Any, server: Server, kind: str) -> None:
    server.said = LONG + "é" * 30
    answer = client.post(f"/stream/{kind}", json={"message": QUESTION})
    said = server.said
    assert answer.content == b"".join(line(kind, said[i : i + 7]) for i in range(0, len(said), 7))
    assert answer.headers["content-type"].startswith(KINDS[kind].partition(";")[0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_begins_with_an_attack_is_refused(
    client: Any, server: Server, kind: str
) -> None:
    server.said = ATTACK
    answer = client.post(f"/stream/{kind}", json={"message": QUESTION})
    assert (answer.status_code, answer.json()) == (403, {"detail": "blocked: injection"})


def test_events_flow_until_the_attack_and_end_with_an_error(client: Any, server: Server) -> None:
    server.said = LONG + ATTACK + LONG
    answer = client.post("/stream/events", json={"message": QUESTION})
    *flowed, error = answer.text.split("\r\n\r\n")
    assert error == 'event: error\ndata: {"detail": "blocked: injection"}\n\n'
    said = "".join(json.loads(each.partition("data: ")[2])["delta"] for each in flowed)
    assert len(LONG) - 120 < len(said) <= len(LONG)
    assert LONG.startswith(said)


def test_lines_break_off_at_the_attack(server: Server, guard: Guard) -> None:
    server.said = LONG + ATTACK
    sent = asyncio.run(spoken(GuardMiddleware(server.app, guard, ROUTES), "/stream/lines"))
    assert sent[-1] == "Blocked"
    assert ATTACK[:7] not in "".join(map(str, sent))
    assert not any(message.get("more_body") is False for message in sent[:-1])


async def spoken(app: Any, path: str, body: bytes = b"{}", **scope: Any) -> list[Any]:
    """Send one request by hand; returns the messages and, at the end, the name of an error."""
    sent: list[Any] = []
    incoming = iter(
        [
            {"type": "http.request", "body": body[i : i + 9], "more_body": True}
            for i in range(0, len(body), 9)
        ]
        + [{"type": "http.request"}]
    )

    async def receive() -> Any:
        message = next(incoming, None)
        if message is None:
            await asyncio.Event().wait()  # for a disconnect that does not come
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    made: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [],
        "query_string": b"",
    }
    made["asgi"] = {"version": "3.0", "spec_version": "2.4"}
    try:
        await app(made | scope, receive, send)
    except Exception as error:
        sent.append(type(error).__name__)
    return sent


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("application/octet-stream", {}),
        ("text/plain; charset=utf-16", {}),
        ("text/plain", {"content-encoding": "gzip"}),
    ],
)
def test_an_answer_that_cannot_be_read_is_not_sent(
    client: Any, server: Server, kind: str, headers: dict[str, str]
) -> None:
    server.said, server.kind, server.headers = ANSWER, kind, headers
    assert client.post("/text", json={}).status_code == 500
    server.said = ""
    assert client.post("/text", json={}).status_code == 200


def test_other_routes_websockets_and_lifespan_are_untouched(
    server: Server, client: Any, classifier: ScriptedClassifier
) -> None:
    assert client.post("/free", json={"message": ATTACK}).status_code == 200
    assert client.get("/chat").status_code == 405
    with client.websocket_connect("/chat") as socket:
        socket.send_text(ATTACK)
        assert socket.receive_text() == ATTACK
    assert classifier.calls == []
    client.__exit__(None, None, None)
    assert server.lifespan == ["up", "down"]


def test_a_path_is_found_behind_a_root_path(server: Server, guard: Guard) -> None:
    app = GuardMiddleware(server.app, guard, {"/a.b/{id}/c": ROUTES["/chat"]})
    body = json.dumps({"message": ATTACK}).encode()
    asked = [
        ("", "/a.b/7/c"),
        ("/api", "/api/a.b/7/c"),
        ("/api", "/a.b/7/c"),
        ("/a.b", "/a.b/7/c"),
        ("", "/a.b/7/8/c"),
    ]
    statuses = [
        asyncio.run(spoken(app, path, body, root_path=root))[0]["status"] for root, path in asked
    ]
    assert statuses == [403, 403, 403, 403, 404]


@pytest.mark.parametrize("path", ["/chat", "/chat%0A", "/files/", "/files/a/b%0A", "/chats/7"])
def test_no_spelling_of_a_path_goes_around(server: Server, guard: Guard, path: str) -> None:
    routes = dict.fromkeys(["/chat", "/files/{rest:path}", "/chats/{id:int}"], Route(FIELDS))
    for each in routes:
        server.app.post(each)(server._chat())
    app = GuardMiddleware(server.app, guard, routes)
    answer = testclient.TestClient(app).post(path, json={"message": ATTACK})
    assert answer.status_code == 403
    assert server.seen == []


@pytest.mark.parametrize("path", ["chat", "/chats/{id", "/chats/{}"])
def test_a_path_that_matches_nothing_is_an_error(server: Server, guard: Guard, path: str) -> None:
    with pytest.raises(InputError, match="no path of a route"):
        GuardMiddleware(server.app, guard, {path: Route(FIELDS)})


def test_a_client_that_left_is_not_answered(server: Server, guard: Guard) -> None:
    sent: list[Any] = []

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    app = GuardMiddleware(server.app, guard, ROUTES)
    asyncio.run(app({"type": "http", "path": "/chat"}, gone, send))
    assert (sent, server.seen) == ([], [])


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_dependency_judges_one_route(guard: Guard, asynchronous: bool) -> None:
    app, seen = fastapi.FastAPI(), []

    async def achat(body: dict) -> Any:  # type: ignore[type-arg]
        return chat(body)

    def chat(body: dict) -> Any:  # type: ignore[type-arg]
        seen.append(body)
        return body

    judge = fastapi.Depends(body_guard(guard, FIELDS, max_body=1_000))
    app.post("/chat", dependencies=[judge])(achat if asynchronous else chat)
    with testclient.TestClient(app) as client:
        statuses = [
            client.post("/chat", json=body).status_code
            for body in [{"message": QUESTION}, {"message": "x" * 1_000}, *ATTACKS]
        ]
    assert statuses == [200, 413, *[403] * len(ATTACKS)]
    assert seen == [{"message": QUESTION}]


@pytest.mark.parametrize("arguments", [({"message": "usr"},), ("message",), ({}, "reply")])
def test_a_wrong_route_is_an_error(arguments: Any) -> None:
    with pytest.raises(InputError):
        Route(*arguments)


def test_concurrent_requests_do_not_mix(server: Server, guard: Guard) -> None:
    app = GuardMiddleware(server.app, guard, ROUTES)

    async def go() -> list[Any]:
        bodies = [json.dumps({"message": each}).encode() for each in [QUESTION, ATTACK] * 6]
        kind = [(b"content-type", b"application/json")]
        calls = [spoken(app, "/chat", body, headers=kind) for body in bodies]
        return list(await asyncio.gather(*calls))

    assert [sent[0]["status"] for sent in asyncio.run(go())] == [200, 403] * 6
    assert server.seen == [{"message": QUESTION}] * 6


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r", "\n\r\n"])
def test_events_are_cut_wherever_their_bytes_are(end: str) -> None:
    whole = f"data: a{end}data: b{end}data: c".encode()
    for at in range(len(whole) + 1):
        first, rest = events(whole[:at], False)
        second, _ = events(rest + whole[at:], True)
        assert b"".join(first + second) == whole
        assert [each.strip() for each in first + second if each.strip()] == [
            b"data: a",
            b"data: b",
            b"data: c",
        ]


def test_characters_are_not_cut_in_two() -> None:
    whole = "aé€😀".encode()
    for at in range(len(whole) + 1):
        (first,), rest = characters(whole[:at], False)
        assert first.decode() + (rest + whole[at:]).decode() == "aé€😀"
    assert characters(b"a\xff", False) == ([b"a\xff"], b"")
