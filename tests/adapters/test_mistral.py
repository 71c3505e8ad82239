from typing import Any

import pydantic
import pytest

from tests.adapters.conformance import (
    ATTACK,
    FILE_URL,
    FOUND,
    PLAIN,
    QUESTION,
    STREAM,
    Conformance,
    Dialect,
    Shape,
    conversation,
    installed,
)
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Blocked, Guard, InputError
from tinyguardrail_sdk.adapters import wrap

mistral = installed("mistralai.client", extra="mistral")


class City(pydantic.BaseModel):
    city: str


CALL = {"id": "c", "function": {"name": "look", "arguments": "{}"}}
TOOL = [
    *conversation(QUESTION),
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c", "name": "look", "content": FOUND},
]
DOCUMENT = {"type": "document_url", "document_url": FILE_URL, "document_name": "hours.md"}
RESOURCE = {"type": "resource", "uri": "shop://hours", "content": {"type": "text", "text": FOUND}}
PREDICTION = {"type": "content", "content": FOUND}
CHAT = Dialect(
    ask=lambda text: {"model": "m", "messages": conversation(text)},
    hostile={
        "tool": {"model": "m", "messages": TOOL},
        "file": {"model": "m", "messages": conversation(QUESTION), "prediction": PREDICTION},
        "attachment": {"model": "m", "messages": [{"role": "user", "content": [DOCUMENT]}]},
        "resource": {"model": "m", "messages": [{"role": "user", "content": [RESOURCE]}]},
    },
)
PARSED = Dialect(ask=lambda text: CHAT.ask(text) | {"response_format": City}, calls=False)
AGENTS = Dialect(
    ask=lambda text: {"agent_id": "a", "messages": conversation(text)},
    hostile={"tool": {"agent_id": "a", "messages": TOOL}},
)
FIM = Dialect(
    ask=lambda text: {"model": "m", "prompt": text},
    hostile={"suffix": {"model": "m", "prompt": "def add(", "suffix": FOUND}},
    reasons=False,
)


def make(wire: Wire, retries: int) -> Any:
    utils = __import__("mistralai.client.utils", fromlist=["RetryConfig"])
    backoff = utils.BackoffStrategy(1, 5, 1.0, 60_000)
    again = utils.RetryConfig("backoff", backoff, True) if retries else None
    return mistral.Mistral(api_key="none", server_url=f"{wire.url}/mistral", retry_config=again)


class TestMistral(Conformance):
    forms = {"Mistral": make}
    shapes = [
        Shape(f"{path}{form}", kind, dialect, asynchronous=bool(form))
        for form in ("", "_async")
        for path, kind, dialect in (
            ("chat.complete", PLAIN, CHAT),
            ("chat.stream", STREAM, CHAT),
            ("chat.parse_stream", STREAM, PARSED),
            ("fim.complete", PLAIN, FIM),
            ("fim.stream", STREAM, FIM),
            ("agents.complete", PLAIN, AGENTS),
            ("agents.stream", STREAM, AGENTS),
        )
    ]
    limited = mistral.errors.SDKError
    example = (
        "Mistral",
        'api_key=os.environ["MISTRAL_API_KEY"]',
        'api_key="none", server_url="{url}/mistral"',
    )
    refused = [
        "beta.conversations",
        "responses.create",
        "events.get_stream_events",
        "batch.jobs",
        "workflows.execute_workflow",
        "audio.realtime.connect",
        "chat.do_request",
        "do_request",
    ]

    @staticmethod
    async def close(client: Any) -> None:
        client.__exit__(None, None, None)
        await client.__aexit__(None, None, None)

    @pytest.mark.parametrize("path", ["chat.parse", "chat.parse_async"])
    @pytest.mark.parametrize("text", ['{"city": "Paris"}', f'{{"city": "{ATTACK}"}}'])
    def test_parsed_answers(self, guard: Guard, wire: Wire, path: str, text: str) -> None:
        wire.text = text
        shape = Shape(path, PLAIN, PARSED)
        out: list[Any] = []
        try:
            self.run(make(wire, 0), guard, shape, PARSED.ask(QUESTION), out)
        except Blocked:
            assert ATTACK in text
            assert out == []
        else:
            assert out[0].choices[0].message.parsed == City(city="Paris")

    @pytest.mark.parametrize(
        "content",
        [
            [{"type": "thinking", "thinking": [{"type": "text", "text": ATTACK}]}],
            [{"type": "text", "text": "Paris"}, {"type": "text", "text": ATTACK}],
        ],
    )
    def test_parts_of_an_answer_are_read(self, guard: Guard, wire: Wire, content: Any) -> None:
        wire.text = content
        with pytest.raises(Blocked):
            self.run(make(wire, 0), guard, self.shapes[0], CHAT.ask(QUESTION))

    @pytest.mark.parametrize(
        "part",
        [
            {"type": "document_url", "document_url": "https://example.com/page.pdf"},
            {"type": "file", "file_id": "f"},
            {"type": "resource_link", "uri": "shop://hours", "metadata": {"text": "9 to 5"}},
        ],
    )
    def test_a_document_by_address_is_not_sent(
        self, guard: Guard, wire: Wire, part: dict[str, Any]
    ) -> None:
        request = {"model": "m", "messages": [{"role": "user", "content": [part]}]}
        with pytest.raises(InputError, match="check its text by itself"):
            self.run(make(wire, 0), guard, self.shapes[0], request)
        assert wire.bodies == []


def test_a_client_of_another_platform_is_refused(guard: Guard) -> None:
    azure = pytest.importorskip("mistralai.azure.client")
    client = azure.MistralAzure(api_key="none", server_url="http://127.0.0.1:9")
    with pytest.raises(InputError, match="known are Mistral"):
        wrap(client, guard)
