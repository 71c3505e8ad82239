import asyncio
import inspect
import json
from collections.abc import Iterator
from typing import Any

import pydantic
import pytest

from tests.adapters.conformance import ATTACK, QUESTION, reached
from tests.adapters.openai_requests import CHAT, RESPONSES, make
from tests.adapters.shapes import awaited
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Blocked, Guard, Source
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.adapters._bodies import body_messages
from tinyguardrail_sdk.adapters._openai_readers import ChatReader


@pytest.fixture
def client(guard: Guard, wire: Wire) -> Iterator[Any]:
    with make("OpenAI")(wire, 0) as made:
        wrap(made, guard)
        yield made


def test_a_manager_that_is_entered_again_remembers_nothing(client: Any, wire: Wire) -> None:
    wire.without = (".delta",)
    manager = client.responses.stream(**RESPONSES.ask(QUESTION))
    with manager as stream:
        list(stream)
    wire.text = ATTACK
    with pytest.raises(Blocked), manager as stream:
        list(stream)
    assert len(wire.bodies) == 2


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


class City(pydantic.BaseModel):
    city: str


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
