import asyncio
import json
from typing import Any

import pytest

from tests.frameworks.asgi_server import (
    ATTACKS,
    FIELDS,
    ROUTES,
    Server,
    fastapi,
    spoken,
    testclient,
)
from tests.frameworks.texts import ATTACK, QUESTION
from tinyguardrail_sdk import Guard, InputError
from tinyguardrail_sdk.adapters.asgi import GuardMiddleware, Route, body_guard


@pytest.fixture
def server() -> Server:
    return Server()


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
