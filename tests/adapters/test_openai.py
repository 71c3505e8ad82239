import asyncio
import copy
import inspect
import json
from collections.abc import Iterator
from typing import Any

import pydantic
import pytest

from tests.adapters.conformance import (
    ATTACK,
    FOUND,
    MANAGER,
    PLAIN,
    QUESTION,
    STREAM,
    Dialect,
    Make,
    Shape,
    conversation,
    installed,
    reached,
)
from tests.adapters.raw_responses import RawResponses, raw_shapes
from tests.adapters.shapes import awaited
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Blocked, CheckFailed, Guard, GuardrailError, InputError, Source
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.adapters._bodies import body_messages
from tinyguardrail_sdk.adapters._openai_readers import ChatReader, ResponsesReader
from tinyguardrail_sdk.adapters.openai import wrap as wrap_openai
from tinyguardrail_sdk.testing import ScriptedClassifier

openai = installed("openai", extra="openai")


CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
CHAT = Dialect(
    ask=lambda text: {"model": "m", "messages": conversation(text)},
    hostile={
        "tool": {
            "model": "m",
            "messages": [
                *conversation(QUESTION),
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c", "content": FOUND},
            ],
        },
        "file": {
            "model": "m",
            "messages": conversation(QUESTION),
            "prediction": {"type": "content", "content": FOUND},
        },
    },
)
RESPONSES = Dialect(
    ask=lambda text: {"model": "m", "input": conversation(text)},
    hostile={
        "tool": {
            "model": "m",
            "input": [
                *conversation(QUESTION),
                {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": FOUND},
            ],
        }
    },
)
SHAPES = [
    Shape("chat.completions.create", PLAIN, CHAT),
    Shape("chat.completions.create", STREAM, CHAT, {"stream": True}),
    Shape("chat.completions.parse", PLAIN, CHAT),
    Shape("chat.completions.stream", MANAGER, CHAT),
    Shape("responses.create", PLAIN, RESPONSES),
    Shape("responses.create", STREAM, RESPONSES, {"stream": True}),
    Shape("responses.parse", PLAIN, RESPONSES),
    Shape("responses.stream", MANAGER, RESPONSES),
    *raw_shapes("chat.completions", CHAT),
    *raw_shapes("responses", RESPONSES),
]


def make(kind: str, **more: Any) -> Make:
    def build(wire: Wire, retries: int) -> Any:
        url = f"{wire.url}/v1"
        return getattr(openai, kind)(api_key="none", base_url=url, max_retries=retries, **more)

    return build


class TestOpenAI(RawResponses):
    forms = {
        "OpenAI": make("OpenAI"),
        "AsyncOpenAI": make("AsyncOpenAI"),
        "AzureOpenAI": make("AzureOpenAI", api_version="v1"),
    }
    shapes = SHAPES
    limited = openai.RateLimitError
    example = ("OpenAI", "OpenAI()", 'OpenAI(api_key="none", base_url="{url}/v1")')
    copies = [lambda client: client.copy(), lambda client: client.with_options(timeout=5)]
    refused = [
        "with_raw_response.completions.create",
        "chat.with_raw_response.completions.list",
        "chat.completions.with_raw_response.list",
        "responses.with_raw_response.input_items.list",
        "responses.connect",
        "responses.input_items.list",
        "chat.completions.list",
        "completions.create",
        "beta.threads",
        "realtime.connect",
        "batches.create",
    ]

    @pytest.mark.parametrize(
        "without",
        [
            (".delta",),
            (".delta", "_text.done", "arguments.done"),
            (".delta", "_text.done", "arguments.done", "part.done"),
            (".delta", ".done"),
        ],
    )
    @pytest.mark.parametrize("arguments", [None, f'{{"n":"{ATTACK}"}}'])
    def test_a_text_that_does_not_come_in_pieces_is_read(
        self, form: Make, guard: Guard, wire: Wire, without: tuple[str, ...], arguments: str | None
    ) -> None:
        wire.without, wire.arguments = without, arguments
        wire.text = wire.text if arguments else ATTACK
        out: list[Any] = []
        with pytest.raises(Blocked):
            self.run(form(wire, 0), guard, SHAPES[5], RESPONSES.ask(QUESTION), out)
        assert ATTACK not in repr(out)

    def test_arguments_may_be_iterators(
        self, form: Make, shape: Shape, guard: Guard, wire: Wire
    ) -> None:
        request = shape.dialect.ask(QUESTION)
        (key,) = request.keys() - {"model"}
        self.run(form(wire, 0), guard, shape, request | {key: iter(request[key])})
        assert wire.bodies[0][key] == request[key]

    def test_a_body_in_extra_body_is_read(
        self, form: Make, shape: Shape, guard: Guard, wire: Wire
    ) -> None:
        hidden = {"extra_body": shape.dialect.ask(ATTACK)}
        with pytest.raises(Blocked):
            self.run(form(wire, 0), guard, shape, shape.dialect.ask(QUESTION) | hidden)
        assert wire.bodies == []

    def test_a_file_that_cannot_be_read_is_not_sent(
        self, form: Make, guard: Guard, wire: Wire
    ) -> None:
        part = {"type": "file", "file": {"file_id": "f"}}
        messages = [{"role": "user", "content": [part]}]
        with pytest.raises(InputError, match="unknown type"):
            self.run(form(wire, 0), guard, SHAPES[0], {"model": "m", "messages": messages})
        assert wire.bodies == []

    def test_a_broken_check_is_not_sent(self, form: Make, wire: Wire) -> None:
        broken = Guard(classifier=ScriptedClassifier({QUESTION: RuntimeError("broken")}))
        with pytest.raises(CheckFailed):
            self.run(form(wire, 0), broken, SHAPES[0], CHAT.ask(QUESTION))
        assert wire.bodies == []


@pytest.mark.parametrize(
    "choice",
    [
        {"delta": {"thoughts": ATTACK}},
        {"delta": {"reasoning_details": [{"type": "reasoning.text", "text": ATTACK}]}},
        {"delta": {"tool_calls": [{"index": 0, "type": "mcp", "mcp": {"arguments": ATTACK}}]}},
        {"delta": {}, "message": {"role": "assistant", "content": ATTACK}},
        {"text": ATTACK},
    ],
)
def test_a_delta_that_is_not_known_is_read_whole(choice: Any) -> None:
    chunk = {"choices": [{"index": 0, "finish_reason": "stop", **choice}]}
    assert [text for _, text in ChatReader().chunk(chunk)] == [ATTACK]


def test_a_field_that_is_not_known_is_read_whole() -> None:
    message = {"role": "assistant", "content": "Paris.", "thoughts": [{"id": "t", "said": ATTACK}]}
    said = list(ChatReader().response({"choices": [{"index": 0, "message": message}]}))
    assert said == [message, ATTACK]


@pytest.mark.parametrize(
    "answer",
    [
        {"choices": [{"index": 0, "thoughts": ATTACK, "message": {"content": "Paris."}}]},
        {"choices": [{"index": 0, "text": ATTACK}]},
        {"choices": [], "citations": [ATTACK]},
    ],
)
def test_a_field_beside_the_message_is_read_whole(answer: Any) -> None:
    assert ATTACK in list(ChatReader().response(answer))
    assert ATTACK in [text for _, text in ChatReader().chunk(answer)]


def test_an_answer_without_output_is_read_whole() -> None:
    assert list(ResponsesReader().response({"choices": [{"text": ATTACK}]})) == [ATTACK]


def test_an_unknown_event_is_read_beside_a_text_in_pieces() -> None:
    reader, at = ResponsesReader(), {"output_index": 0, "content_index": 0}
    pieces = [{"type": "response.output_text.delta", "delta": "Paris", **at}]
    pieces += [{"type": "response.output_text.unheard_of", "said": ATTACK, **at}]
    assert [text for each in pieces for _, text in reader.chunk(each)] == ["Paris", ATTACK]


def test_what_a_remote_tool_answered_is_read_though_its_arguments_came_in_pieces() -> None:
    call = {"type": "mcp_call", "arguments": '{"n": 1}', "output": ATTACK}
    reader = ResponsesReader()
    kind = "response.mcp_call_arguments.delta"
    events: list[dict[str, Any]] = [
        {"type": kind, "output_index": 3, "delta": '{"n": 1}'},
        {"type": "response.output_item.done", "output_index": 3, "item": call},
    ]
    texts = [text for event in events for _, text in reader.chunk(event)]
    assert texts == ['{"n": 1}', ATTACK]


@pytest.fixture
def client(guard: Guard, wire: Wire) -> Iterator[Any]:
    with openai.OpenAI(api_key="none", base_url=f"{wire.url}/v1") as made:
        wrap(made, guard)
        yield made


def test_the_handle_is_a_context_manager(guard: Guard, wire: Wire) -> None:
    with (
        openai.OpenAI(api_key="none", base_url=f"{wire.url}/v1") as plain,
        wrap(plain, guard) as client,
        pytest.raises(Blocked),
    ):
        client.chat.completions.create(**CHAT.ask(ATTACK))
    assert "create" not in vars(plain.chat.completions)


def test_a_copy_that_was_not_made_by_the_client_is_refused(client: Any, guard: Guard) -> None:
    with pytest.raises(GuardrailError, match="undo"):
        wrap(copy.copy(client), guard)


def test_a_manager_that_is_entered_again_remembers_nothing(client: Any, wire: Wire) -> None:
    wire.without = (".delta",)
    manager = client.responses.stream(**RESPONSES.ask(QUESTION))
    with manager as stream:
        list(stream)
    wire.text = ATTACK
    with pytest.raises(Blocked), manager as stream:
        list(stream)
    assert len(wire.bodies) == 2


def test_another_vendors_client_is_refused(guard: Guard) -> None:
    with pytest.raises(InputError, match="known are OpenAI"):
        wrap_openai(object(), guard)  # type: ignore[type-var]


def test_a_stream_gives_nothing_after_it_was_blocked(client: Any, wire: Wire) -> None:
    wire.text = ATTACK
    stream = client.chat.completions.create(**CHAT.ask(QUESTION), stream=True)
    with pytest.raises(Blocked):
        list(stream)
    assert list(stream) == []


def test_a_body_that_was_read_already_is_read_by_its_events(client: Any, wire: Wire) -> None:
    asked = CHAT.ask(QUESTION) | {"stream": True}
    wire.arguments = '{"city": "Paris"}'
    raw = client.chat.completions.with_raw_response.create(**asked)
    raw.http_response.read()
    assert body_messages(ChatReader(), raw.http_response) == [
        (Source.OUTPUT, wire.text),
        (Source.OUTPUT, wire.arguments),
    ]


class City(pydantic.BaseModel):
    city: str


STORED = [
    ("chat.completions.retrieve", ("chat_1",), {}),
    ("chat.completions.update", ("chat_1",), {"metadata": {}}),
    ("responses.retrieve", ("resp_1",), {}),
    ("responses.retrieve", ("resp_1",), {"stream": True}),
    ("responses.cancel", ("resp_1",), {}),
]


@pytest.mark.parametrize("kind", ["OpenAI", "AsyncOpenAI"])
@pytest.mark.parametrize(("path", "given", "more"), STORED)
def test_what_was_stored_is_judged(
    guard: Guard, wire: Wire, kind: str, path: str, given: Any, more: Any
) -> None:
    def read() -> str:
        async def main() -> str:
            client = make(kind)(wire, 0)
            known = inspect.signature(reached(client, path)).parameters
            if not more.keys() <= known.keys():
                pytest.skip(f"this version has no {path} with {', '.join(more)}")
            wrap(client, guard)
            try:
                answer = await awaited(reached(client, path)(*given, **more))
                if hasattr(answer, "__aiter__"):
                    return repr([each async for each in answer])
                return repr(list(answer) if more.get("stream") else answer)
            finally:
                await awaited(client.close())

        return asyncio.run(main())

    assert "Paris" in read()
    wire.text = ATTACK
    with pytest.raises(Blocked):
        read()
    assert len(wire.bodies) == 2


def test_parsed_answers(client: Any, wire: Wire) -> None:
    wire.text = '{"city": "Paris"}'
    chat, responses, asked = client.chat.completions, client.responses, CHAT.ask(QUESTION)
    answer = reached(chat, "parse")(**asked, response_format=City)
    assert answer.choices[0].message.parsed == City(city="Paris")
    answer = responses.parse(**RESPONSES.ask(QUESTION), text_format=City)
    assert answer.output_parsed == City(city="Paris")
    with chat.stream(**asked, response_format=City) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == City(city="Paris")


@pytest.mark.parametrize(
    ("path", "asked", "read"),
    [
        ("chat.completions", CHAT, lambda answer: answer.choices[0].message.parsed),
        ("responses", RESPONSES, lambda answer: answer.output_parsed),
    ],
)
def test_parsed_raw_answers(client: Any, wire: Wire, path: str, asked: Any, read: Any) -> None:
    wire.text = '{"city": "Paris"}'
    kind = {("text_format" if path == "responses" else "response_format"): City}
    parse = reached(client, f"{path}.with_raw_response.parse")
    assert read(parse(**asked.ask(QUESTION), **kind).parse()) == City(city="Paris")
    wire.text = json.dumps({"city": ATTACK})
    with pytest.raises(Blocked):
        parse(**asked.ask(QUESTION), **kind)


def test_a_raw_answer_that_was_asked_for_by_hand_is_judged(client: Any, wire: Wire) -> None:
    asked = CHAT.ask(QUESTION) | {"extra_headers": {"X-Stainless-Raw-Response": "true"}}
    assert wire.text in client.chat.completions.create(**asked).text
    wire.text = ATTACK
    with pytest.raises(Blocked):
        client.chat.completions.create(**asked)
