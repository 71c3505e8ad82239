from operator import attrgetter
from typing import Any

import pytest

from tests.adapters.conformance import (
    ATTACK,
    FOUND,
    PLAIN,
    QUESTION,
    STREAM,
    Conformance,
    Dialect,
    Request,
    Shape,
    installed,
)
from tests.adapters.shapes import AT_ONCE, COLLECTED
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Blocked, Guard, InputError
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.adapters.google_genai import _Contents

genai = installed("google.genai", extra="google-genai")
types: Any = pytest.importorskip("google.genai.types")

INSTRUCTED = {"system_instruction": f"You talk about {ATTACK}."}  # the application may


class ChatShape(Shape):
    """A chat that is made, and asked: the path ends in the method of the chat."""

    def method(self, client: Any) -> Any:
        chats, _, name = self.path.rpartition(".")
        return getattr(attrgetter(chats)(client).create(model="m", config=INSTRUCTED), name)


def asked(*contents: Any) -> Request:
    return {"model": "m", "contents": list(contents), "config": INSTRUCTED}


CALL = types.Part.from_function_call(name="look", args={})
RESULT = types.Part.from_function_response(name="look", response={"hours": FOUND})
CONTENTS = Dialect(
    ask=lambda text: {"model": "m", "contents": text, "config": INSTRUCTED},
    hostile={
        "content": asked(types.UserContent(QUESTION), types.UserContent(ATTACK)),
        "strings": asked(QUESTION, ATTACK),
        "part": asked(types.Part.from_text(text=ATTACK)),
        "mapping": asked({"role": "user", "parts": [{"text": QUESTION}, {"text": ATTACK}]}),
        "tool": asked(
            types.UserContent(QUESTION), types.ModelContent(CALL), types.UserContent(RESULT)
        ),
        "body": asked(QUESTION)
        | {
            "config": {"http_options": {"extra_body": {"contents": [{"parts": [{"text": FOUND}]}]}}}
        },
        "body as sent": asked(QUESTION)
        | {"config": {"httpOptions": {"extraBody": {"contents": [{"parts": [{"text": FOUND}]}]}}}},
        "file": asked(QUESTION, types.Part.from_bytes(data=FOUND.encode(), mime_type="text/csv")),
        "code": asked(
            types.Part.from_text(text=QUESTION),
            types.Part.from_code_execution_result(outcome="OUTCOME_OK", output=FOUND),
        ),
    },
)
MESSAGE = Dialect(
    ask=lambda text: {"message": text},
    hostile={"parts": {"message": [QUESTION, ATTACK]}, "tool": {"message": [RESULT]}},
)


def make(wire: Wire, retries: int) -> Any:
    again = types.HttpRetryOptions(attempts=1 + retries, initial_delay=0.001, max_delay=0.01)
    options = types.HttpOptions(base_url=wire.url, retry_options=again)
    return genai.Client(api_key="none", http_options=options)


class TestGemini(Conformance):
    forms = {"Client": make}
    shapes = [
        kind(f"{form}{path}", returned, dialect, asynchronous=bool(form), hangs_up=hangs_up)
        for form, hangs_up in (("", AT_ONCE), ("aio.", COLLECTED))
        for kind, path, returned, dialect in (
            (Shape, "models.generate_content", PLAIN, CONTENTS),
            (Shape, "models.generate_content_stream", STREAM, CONTENTS),
            (ChatShape, "chats.send_message", PLAIN, MESSAGE),
            (ChatShape, "chats.send_message_stream", STREAM, MESSAGE),
        )
    ]
    limited = genai.errors.ClientError
    example = ("Gemini", "Client()", 'Client(api_key="none", http_options={{"base_url": "{url}"}})')
    refused = [
        "interactions.create",
        "agents.create",
        "batches.create",
        "caches.create",
        "aio.live.connect",
        "aio.batches.create",
    ]

    @staticmethod
    async def close(client: Any) -> None:
        client.close()
        await client.aio.aclose()

    @pytest.mark.parametrize("path", ["chats.send_message", "aio.chats.send_message"])
    def test_what_a_function_found_is_not_sent(self, guard: Guard, wire: Wire, path: str) -> None:
        def look(city: str) -> str:
            """Look up opening hours."""
            return f"{city}: {FOUND}"

        wire.arguments = '{"city": "Paris"}'
        shape = ChatShape(path, PLAIN, MESSAGE)
        request = {"message": QUESTION, "config": {"tools": [look]}}
        with pytest.raises(Blocked):
            self.run(make(wire, 0), guard, shape, request)
        assert len(wire.bodies) == 1

    @pytest.mark.parametrize(
        ("config", "reason"),
        [
            ({"tools": [print]}, "use a chat"),
            (types.GenerateContentConfig(tools=[print]), "use a chat"),
            ({"cached_content": "cachedContents/c"}, "cached content"),
            ({"cachedContent": "cachedContents/c"}, "cached content"),
            ({"httpOptions": {"extraBody": {"cachedContent": "c"}}}, "cached content"),
        ],
    )
    def test_what_would_go_by_is_not_sent(
        self, guard: Guard, wire: Wire, config: Any, reason: str
    ) -> None:
        request = CONTENTS.ask(QUESTION) | {"config": config}
        with pytest.raises(InputError, match=reason):
            self.run(make(wire, 0), guard, self.shapes[0], request)
        assert wire.bodies == []

    def test_a_file_that_cannot_be_read_is_not_sent(self, guard: Guard, wire: Wire) -> None:
        page = types.Part.from_bytes(data=b"%PDF", mime_type="application/pdf")
        with pytest.raises(InputError, match="check its text by itself"):
            self.run(make(wire, 0), guard, self.shapes[0], asked(QUESTION, page))
        assert wire.bodies == []


@pytest.mark.parametrize(
    "part",
    [
        {"text": ATTACK, "thought": True},
        {"executable_code": {"code": ATTACK}},
        {"function_call": {"partial_args": [{"json_path": "$.n", "string_value": ATTACK}]}},
        {"tool_response": {"response": {"found": ATTACK}}},
    ],
)
def test_parts_of_a_stream_are_read(part: Any) -> None:
    chunk = {"candidates": [{"index": 0, "content": {"parts": [part]}}]}
    assert any(ATTACK in text for _, text in _Contents().chunk(chunk))


def test_undo_gives_refused_resources_back(guard: Guard, wire: Wire) -> None:
    client = make(wire, 0)
    wrap(client, guard).undo()
    assert type(client) is genai.Client
    assert client.batches.create is not None
