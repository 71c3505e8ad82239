import copy
from typing import Any

import pytest

from tests.adapters.conformance import ATTACK, MANAGER, PLAIN, QUESTION, STREAM, Make, Shape
from tests.adapters.openai_requests import ACCUMULATED, CHAT, RESPONSES, make, openai
from tests.adapters.raw_responses import RawResponses, raw_shapes
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Blocked, CheckFailed, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.adapters.openai import wrap as wrap_openai
from tinyguardrail_sdk.testing import ScriptedClassifier

PDF = "data:application/pdf;base64,JVBERi0="
SHAPES = [
    Shape("chat.completions.create", PLAIN, CHAT),
    Shape("chat.completions.create", STREAM, CHAT, {"stream": True}),
    Shape("chat.completions.parse", PLAIN, CHAT),
    Shape("chat.completions.stream", MANAGER, CHAT),
    Shape("responses.create", PLAIN, RESPONSES),
    Shape("responses.create", STREAM, RESPONSES, {"stream": True}),
    Shape("responses.parse", PLAIN, RESPONSES),
    Shape("responses.stream", MANAGER, ACCUMULATED),
    *raw_shapes("chat.completions", CHAT),
    *raw_shapes("responses", RESPONSES),
]


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

    @pytest.mark.parametrize(
        ("asking", "key", "part"),
        [
            (SHAPES[0], "messages", {"type": "file", "file": {"file_id": "f"}}),
            (SHAPES[4], "input", {"type": "input_file", "file_id": "f"}),
            (SHAPES[4], "input", {"type": "input_file", "filename": "a.pdf", "file_data": PDF}),
        ],
    )
    def test_a_file_that_cannot_be_read_is_not_sent(
        self, form: Make, guard: Guard, wire: Wire, asking: Shape, key: str, part: Any
    ) -> None:
        asked = {"model": "m", key: [{"role": "user", "content": [part]}]}
        with pytest.raises(InputError, match="check its text by itself"):
            self.run(form(wire, 0), guard, asking, asked)
        assert wire.bodies == []

    def test_a_broken_check_is_not_sent(self, form: Make, wire: Wire) -> None:
        broken = Guard(classifier=ScriptedClassifier({QUESTION: RuntimeError("broken")}))
        with pytest.raises(CheckFailed):
            self.run(form(wire, 0), broken, SHAPES[0], CHAT.ask(QUESTION))
        assert wire.bodies == []


def test_the_handle_is_a_context_manager(guard: Guard, wire: Wire) -> None:
    with (
        make("OpenAI")(wire, 0) as plain,
        wrap(plain, guard) as client,
        pytest.raises(Blocked),
    ):
        client.chat.completions.create(**CHAT.ask(ATTACK))
    assert "create" not in vars(plain.chat.completions)


def test_a_copy_that_was_not_made_by_the_client_is_refused(guard: Guard, wire: Wire) -> None:
    with make("OpenAI")(wire, 0) as client:
        wrap(client, guard)
        with pytest.raises(GuardrailError, match="undo"):
            wrap(copy.copy(client), guard)


def test_another_vendors_client_is_refused(guard: Guard) -> None:
    with pytest.raises(InputError, match="known are OpenAI"):
        wrap_openai(object(), guard)  # type: ignore[type-var]
