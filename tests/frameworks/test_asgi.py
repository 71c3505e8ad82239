import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.frameworks.asgi_server import ATTACKS, KINDS, ROUTES, Server, line, spoken, testclient
from tests.frameworks.texts import ANSWER, ATTACK, QUESTION
from tinyguardrail_sdk import Delay, Guard
from tinyguardrail_sdk.adapters.asgi import GuardMiddleware
from tinyguardrail_sdk.testing import ScriptedClassifier

LONG = "The capital of France lies on the river Seine. " * 40


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
