from collections.abc import Callable, Iterator
from typing import Any

import pydantic
import pytest

from tests.adapters.anthropic_requests import (
    MESSAGES,
    RUNNER,
    Running,
    anthropic,
    asked,
    events_of,
    make,
)
from tests.adapters.conformance import (
    ATTACK,
    LONG,
    MANAGER,
    PLAIN,
    QUESTION,
    STREAM,
    Make,
    Shape,
    reached,
)
from tests.adapters.raw_responses import RawResponses, raw_shapes
from tests.adapters.wire import PIECE, Wire
from tinyguardrail_sdk import Blocked, Guard, InputError
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.adapters.anthropic import wrap as wrap_anthropic

SHAPES = [
    shape
    for path in ("messages", "beta.messages")
    for shape in (
        Shape(f"{path}.create", PLAIN, MESSAGES),
        Shape(f"{path}.create", STREAM, MESSAGES, {"stream": True}),
        Shape(f"{path}.parse", PLAIN, MESSAGES),
        Shape(f"{path}.stream", MANAGER, MESSAGES),
        *raw_shapes(path, MESSAGES),
    )
] + [
    Running(RUNNER, PLAIN, MESSAGES, opened=lambda runner: runner.until_done()),
    Running(RUNNER, STREAM, MESSAGES, {"stream": True}, events_of),
]
# Newer versions do not complete texts.
COMPLETES = hasattr(anthropic.resources, "Completions")
LEGACY = ["with_raw_response.completions.create"] if COMPLETES else []


class TestAnthropic(RawResponses):
    forms = {kind: make(kind) for kind in ("Anthropic", "AsyncAnthropic")}
    shapes = SHAPES
    limited = anthropic.RateLimitError
    example = ("Anthropic", "Anthropic()", 'Anthropic(api_key="none", base_url="{url}")')
    copies = [lambda client: client.copy(), lambda client: client.with_options(timeout=5)]
    refused = [
        *LEGACY,
        "messages.with_raw_response.batches.create",
        "messages.batches.create",
        "beta.deployment_runs.list",
        "beta.messages.batches.create",
    ]

    def test_the_last_answer_goes_back_as_an_object(
        self, form: Make, shape: Shape, guard: Guard, wire: Wire
    ) -> None:
        (answer,) = self.run(form(wire, 0), guard, SHAPES[0], asked(QUESTION))
        turns = [*asked(QUESTION)["messages"], {"role": "assistant", "content": answer.content}]
        again = {"messages": [*turns, {"role": "user", "content": "And?"}]}
        self.run(form(wire, 0), guard, shape, asked(QUESTION) | again)
        assert len(wire.bodies) == 2

    def test_a_file_that_cannot_be_read_is_not_sent(
        self, form: Make, guard: Guard, wire: Wire
    ) -> None:
        source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
        document = asked([{"type": "document", "source": source}])
        with pytest.raises(InputError, match="not text"):
            self.run(form(wire, 0), guard, SHAPES[0], document)
        assert wire.bodies == []


@pytest.fixture
def client(guard: Guard, wire: Wire) -> Iterator[Any]:
    with anthropic.Anthropic(api_key="none", base_url=wire.url) as made:
        wrap(made, guard)
        yield made


def test_two_channels_are_held_apart(client: Any, wire: Wire) -> None:
    wire.text, wire.arguments = LONG, f'{{"n": "{ATTACK}"}}'
    events: list[Any] = []
    stream = client.messages.create(**asked(QUESTION), stream=True)
    with stream, pytest.raises(Blocked):
        events.extend(stream)
    assert ATTACK[:PIECE] not in repr(events)
    kinds = [event.type for event in events]
    assert kinds.count("content_block_delta") > len(LONG) / PIECE / 2


class City(pydantic.BaseModel):
    city: str


def test_parsed_answers(client: Any, wire: Wire) -> None:
    wire.text = '{"city": "Paris"}'
    request = asked(QUESTION) | {"output_format": City}
    assert reached(client, "messages.parse")(**request).parsed_output == City(city="Paris")
    with client.messages.stream(**request) as stream:
        assert stream.get_final_message().parsed_output == City(city="Paris")


@pytest.mark.parametrize(
    "read", [lambda s: list(s.text_stream), lambda s: s.get_final_text(), lambda s: s.until_done()]
)
def test_every_way_to_read_a_stream_helper_is_held(
    client: Any, wire: Wire, read: Callable[[Any], Any]
) -> None:
    wire.text = ATTACK
    with pytest.raises(Blocked), client.messages.stream(**asked(QUESTION)) as stream:
        read(stream)


def test_another_vendors_client_is_refused(guard: Guard) -> None:
    with pytest.raises(InputError, match="known are Anthropic"):
        wrap_anthropic(object(), guard)  # type: ignore[type-var]
