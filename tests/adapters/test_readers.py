"""What the readers of all adapters do alike, whether or not their clients are installed."""

from typing import Any

import pytest

from tests.adapters.conformance import ATTACK
from tinyguardrail_sdk.adapters import _openai_readers as openai_
from tinyguardrail_sdk.adapters import cohere, google_genai, mistral, ollama
from tinyguardrail_sdk.adapters._anthropic_readers import MessagesReader
from tinyguardrail_sdk.adapters._bedrock_readers import Converse
from tinyguardrail_sdk.adapters._bodies import AnyReader
from tinyguardrail_sdk.adapters._streams import Deferring, held
from tinyguardrail_sdk.guard import Guard
from tinyguardrail_sdk.messages import message_texts

FURTHER = "additionalModelResponseFields"
SAID = {"role": "system", "content": ATTACK}
ANSWERS: list[tuple[AnyReader, Any]] = [
    (openai_.ChatReader(), {"choices": [{"message": SAID}]}),
    (openai_.ResponsesReader(), {"output": [SAID | {"type": "message"}]}),
    (mistral._Completion(), {"choices": [{"message": SAID}]}),
    (mistral._Completion(), {"choices": [{"message": None, "messages": [SAID]}]}),
    (cohere._Chat(), {"message": SAID}),
    (ollama._Chat(), {"message": SAID}),
    (Converse(), {"output": {"message": SAID}}),
    (
        Converse(),
        {"output": {"message": {"role": "assistant", "content": []}}} | {FURTHER: ATTACK},
    ),
]
ASKED = {"role": "user", "content": ATTACK}
REQUESTS: list[tuple[AnyReader, str]] = [
    (openai_.ChatReader(), "messages"),
    (openai_.ResponsesReader(), "input"),
    (MessagesReader(), "messages"),
    (mistral._Completion(), "messages"),
    (cohere._Chat(), "messages"),
    (cohere._Chat(), "documents"),
    (ollama._Chat(), "messages"),
    (Converse(), "messages"),
    (google_genai._Contents(), "contents"),
]


def name(case: Any) -> str:
    return type(case).__module__.rpartition(".")[2] if hasattr(case, "chunk") else ""


def texts(messages: Any) -> list[str]:
    return [each.text for each in message_texts(list(messages))]


@pytest.mark.parametrize(("reader", "answer"), ANSWERS, ids=name)
def test_an_answer_is_read_whatever_role_it_gives_itself(reader: AnyReader, answer: Any) -> None:
    assert texts(Deferring(reader).response(answer)) == [ATTACK]


def test_what_is_in_extra_body_is_read_once_and_in_place_of_the_rest() -> None:
    class Message:
        dumped = 0

        def model_dump(self, **_: Any) -> Any:
            self.dumped += 1
            return ASKED

    message = Message()
    request = {"messages": [], "extra_body": {"messages": [message]}}
    assert texts(Deferring(openai_.ChatReader()).request(request)) == [ATTACK]
    assert message.dumped == 1


@pytest.mark.parametrize("given", [ASKED, ATTACK], ids=["mapping", "string"])
@pytest.mark.parametrize(("reader", "key"), REQUESTS, ids=name)
def test_one_in_place_of_a_list_is_read(reader: AnyReader, key: str, given: Any) -> None:
    assert any(ATTACK in text for text in texts(Deferring(reader).request({key: given})))


@pytest.mark.parametrize("field", ["generator", "_iterator", "_raw_stream"])
@pytest.mark.parametrize("value", ["a string", ["a list"]], ids=["string", "list"])
def test_a_field_that_is_called_like_a_stream_makes_no_stream(
    guard: Guard, field: str, value: Any
) -> None:
    class Answer:
        def __init__(self) -> None:
            setattr(self, field, value)

        def model_dump(self, **_: Any) -> Any:
            return {"message": SAID}

    answer, reader = Answer(), Deferring(ollama._Chat())
    assert texts(reader.response(answer)) == [ATTACK]
    assert held(guard, None, reader, answer) is answer
    assert getattr(answer, field) is value
