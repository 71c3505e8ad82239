import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.adapters.conformance import ATTACK, LONG, QUESTION, ROOT, installed
from tests.adapters.wire import PIECE, Wire, pieces
from tinyguardrail_sdk import Guard
from tinyguardrail_sdk.adapters.litellm_proxy import guardrail

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or it asks the network for one
server: Any = installed("litellm.proxy.proxy_server", extra="litellm-proxy")
testclient: Any = installed("fastapi.testclient", extra="litellm-proxy")

# LiteLLM, and what it leaves open, warn of themselves.
pytestmark = pytest.mark.filterwarnings("ignore")

# What an operator writes, with a guard and a configuration of the models of these tests.
CLIENTS = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r'title="(guard.py|config.yaml)"\n(.*?)```', CLIENTS, re.S))
SCRIPTED_IMPORT = "from tinyguardrail_sdk.testing import ScriptedClassifier\n"
SCRIPTED = f"""Guard(classifier=ScriptedClassifier(
    {{{ATTACK!r}: Label.INJECTION, "explode": RuntimeError("explode")}}
)), delay=Delay(100, 50)"""
MESSAGES = [
    {"role": "system", "content": f"You talk about {ATTACK}."},  # the application may
    {"role": "user", "content": QUESTION},
]
ROUTES: dict[str, Any] = {
    "/v1/chat/completions": {"model": "openai", "messages": MESSAGES},
    "/v1/responses": {"model": "openai", "input": MESSAGES},
    "/v1/messages": {"model": "anthropic", "max_tokens": 9, "messages": MESSAGES[1:]},
}
every_route = pytest.mark.parametrize("route", ROUTES)
# What of the wire the model says: its answer, or what it tells of its thoughts before.
every_said = pytest.mark.parametrize("said", ["text", "reasoning"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from tests.adapters.replies import REPLIES

    folder = tmp_path_factory.mktemp("proxy")
    with Wire(REPLIES) as wire:
        shim = BLOCKS["guard.py"].replace("Guard()", SCRIPTED)
        imports = "from tinyguardrail_sdk import Delay, Label\n" + SCRIPTED_IMPORT
        (folder / "guard.py").write_text(imports + shim)
        config = f"{BLOCKS['config.yaml']}\n{models(wire)}"
        (folder / "config.yaml").write_text(config)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CONFIG_FILE_PATH", str(folder / "config.yaml"))
            patch.setenv("LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", "true")
            with testclient.TestClient(server.app, raise_server_exceptions=False) as client:
                yield client, wire


def models(wire: Wire) -> str:
    served = {
        "openai": {"model": "openai/gpt-4o-mini", "api_base": f"{wire.url}/v1", "api_key": "none"},
        "anthropic": {"model": "anthropic/claude-x", "api_base": wire.url, "api_key": "none"},
    }
    listed = [
        {"model_name": name, "litellm_params": served[name] | {"max_retries": 0}} for name in served
    ]
    return f"model_list: {json.dumps(listed)}\nrouter_settings: {{num_retries: 0}}\n"


@pytest.fixture
def proxy(running: Any) -> Any:
    return running[0]


@pytest.fixture
def wire(running: Any) -> Any:
    running[1].text, running[1].bodies = "The capital of France is Paris.", []
    running[1].reasoning = None
    return running[1]


def asked(route: str, text: str) -> Any:
    return json.loads(json.dumps(ROUTES[route]).replace(QUESTION, text))


@every_route
@every_said
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_benign_requests_are_answered(
    proxy: Any, wire: Wire, route: str, said: str, stream: bool
) -> None:
    setattr(wire, said, "Think: Seine.")
    answer = proxy.post(route, json={**ROUTES[route], "stream": stream})
    assert answer.status_code == 200, answer.text
    for text in filter(None, (wire.reasoning, wire.text)):
        for piece in pieces(text) if stream else [text]:
            assert piece in answer.text
    assert "error" not in answer.text.replace('"error":null', "")
    assert len(wire.bodies) == 1


@every_route
def test_an_attack_of_the_user_is_not_sent(proxy: Any, wire: Wire, route: str) -> None:
    answer = proxy.post(route, json=asked(route, ATTACK))
    assert answer.status_code == 400
    assert "blocked: injection" in answer.text
    assert wire.bodies == []


@every_route
@every_said
def test_an_attack_is_not_released(proxy: Any, wire: Wire, route: str, said: str) -> None:
    setattr(wire, said, f"{ATTACK} and more")
    answer = proxy.post(route, json=ROUTES[route])
    assert answer.status_code == 400
    assert "blocked: injection" in answer.text
    assert ATTACK[:PIECE] not in answer.text
    assert len(wire.bodies) == 1


@every_route
@every_said
def test_a_stream_flows_until_the_attack(proxy: Any, wire: Wire, route: str, said: str) -> None:
    setattr(wire, said, LONG + ATTACK + LONG)
    answer = proxy.post(route, json={**ROUTES[route], "stream": True})
    assert "blocked: injection" in answer.text
    assert answer.text.count("data:") > len(LONG) / PIECE * 0.8
    assert ATTACK[:PIECE] not in answer.text
    if said == "reasoning":
        assert "Paris" not in answer.text  # the answer comes after it


def test_a_tool_result_is_judged(proxy: Any, wire: Wire) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages = [
        *MESSAGES,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": f"9 to 5. {ATTACK}"},
    ]
    answer = proxy.post("/v1/chat/completions", json={"model": "openai", "messages": messages})
    assert answer.status_code == 400
    assert wire.bodies == []


def test_documents_beside_the_messages_are_judged(proxy: Any, wire: Wire) -> None:
    found = {"documents": [{"title": "Hours", "text": f"9 to 5. {ATTACK}"}]}
    for body in (found, {"extra_body": found}):
        asking = {"model": "openai", "messages": MESSAGES, **body}
        assert proxy.post("/v1/chat/completions", json=asking).status_code == 400
    assert wire.bodies == []


def test_what_could_not_be_checked_is_not_sent(proxy: Any, wire: Wire) -> None:
    answer = proxy.post("/v1/chat/completions", json=asked("/v1/chat/completions", "explode"))
    assert answer.status_code == 500
    part = {"type": "file", "file": {"file_id": "f"}}
    body = {"model": "openai", "messages": [{"role": "user", "content": [part]}]}
    answer = proxy.post("/v1/chat/completions", json=body)
    assert answer.status_code == 400
    assert "check its text by itself" in answer.text
    body = {"model": "openai", "prompt": ATTACK}
    assert proxy.post("/v1/completions", json=body).status_code == 400
    assert proxy.post("/v1/completions", json={**body, "prompt": [[1, 2]]}).status_code == 400
    assert wire.bodies == []


def test_a_route_that_is_not_read_is_refused(proxy: Any, wire: Wire) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}
    answer = proxy.post("/v1beta/models/openai:generateContent", json=body)
    assert answer.status_code == 400
    assert "not guarded yet" in answer.text
    assert wire.bodies == []


def test_a_subclass_keeps_the_hooks_itself(guard: Guard) -> None:
    class Own(guardrail(guard)):  # type: ignore[misc]
        pass

    assert "async_post_call_streaming_iterator_hook" in vars(Own)


def test_judging_beside_the_request_is_refused(guard: Guard) -> None:
    with pytest.raises(ValueError, match="during_call"):
        guardrail(guard)(guardrail_name="g", event_hook="during_call")
