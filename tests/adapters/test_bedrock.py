import io
import json
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import pytest

from tests.adapters.bedrock_requests import CONVERSE, INVOKE, PAGE, asked
from tests.adapters.conformance import (
    ATTACK,
    PLAIN,
    QUESTION,
    STREAM,
    Conformance,
    Request,
    Shape,
    installed,
)
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Guard, InputError
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.adapters._bedrock_readers import Converse, Invoke, said_in

boto3 = installed("boto3", extra="bedrock")
config: Any = pytest.importorskip("botocore.config")
exceptions: Any = pytest.importorskip("botocore.exceptions")


def client_of(service: str, url: str, retries: int = 0) -> Any:
    again = {"total_max_attempts": 1 + retries, "mode": "standard"}
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=config.Config(retries=again),
    )


class TestBedrock(Conformance):
    forms = {"boto3": lambda wire, retries: client_of("bedrock-runtime", wire.url, retries)}
    shapes = [
        Shape("converse", PLAIN, CONVERSE),
        Shape("converse_stream", STREAM, CONVERSE, opened=itemgetter("stream")),
        Shape("invoke_model", PLAIN, INVOKE, opened=lambda answer: answer["body"].read()),
        Shape("invoke_model_with_response_stream", STREAM, INVOKE, opened=itemgetter("body")),
    ]
    limited = exceptions.ClientError
    example = (
        "Bedrock",
        '"bedrock-runtime"',
        '"bedrock-runtime", "us-east-1", endpoint_url="{url}", aws_access_key_id="none",'
        ' aws_secret_access_key="none"',
    )
    refused = [
        "start_async_invoke",
        "generate_presigned_url",
    ]

    @pytest.mark.parametrize(
        "request_",
        [
            asked({"document": PAGE | {"format": "pdf"}}),
            asked({"document": PAGE | {"source": {"s3Location": {"uri": "s3://b/k"}}}}),
            asked({"unheardOf": {"text": QUESTION}}),
        ],
    )
    def test_what_cannot_be_read_is_not_sent(
        self, guard: Guard, wire: Wire, request_: Request
    ) -> None:
        with pytest.raises(InputError):
            self.run(self.forms["boto3"](wire, 0), guard, self.shapes[0], request_)
        assert wire.bodies == []

    @pytest.mark.parametrize(
        "body",
        [None, "", "no JSON", "[]", "{}", '{"texts": ["a"]}', io.BytesIO(b'{"prompt": "a"}')],
    )
    def test_a_body_that_cannot_be_read_is_not_sent(
        self, guard: Guard, wire: Wire, body: Any
    ) -> None:
        request = {"modelId": "m", "body": body}
        with pytest.raises(InputError, match="use converse"):
            self.run(self.forms["boto3"](wire, 0), guard, self.shapes[2], request)
        assert wire.bodies == []


@pytest.fixture
def client(guard: Guard, wire: Wire) -> Iterator[Any]:
    made = client_of("bedrock-runtime", wire.url)
    wrap(made, guard)
    yield made
    made.close()


@pytest.mark.parametrize(
    "body",
    [
        {"content": [{"type": "text", "text": ATTACK}]},
        {"output": {"message": {"role": "assistant", "content": [{"text": ATTACK}]}}},
        {"choices": [{"message": {"role": "assistant", "content": ATTACK}}]},
        {"choices": [{"text": ATTACK}]},
        {"generation": ATTACK},
        {"completion": ATTACK},
        {"results": [{"outputText": ATTACK}]},
        {"outputs": [{"text": ATTACK}]},
    ],
)
def test_answers_of_every_vendor_are_read(body: Any) -> None:
    assert ATTACK in repr(said_in(json.dumps(body).encode()))


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"x": 1}]},
        {"outputs": [{"x": 1}]},
        {"results": [1]},
        {"output": {}},
        {"x": ATTACK},
    ],
)
def test_an_answer_in_another_form_is_an_error_with_the_remedy(body: Any) -> None:
    with pytest.raises(InputError, match="use converse"):
        said_in(json.dumps(body).encode())


def chunk(body: Any) -> Any:
    return {"chunk": {"bytes": json.dumps(body).encode()}}


@pytest.mark.parametrize(
    "body",
    [
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": ATTACK},
        },
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": ATTACK}}},
        {"choices": [{"index": 0, "delta": {"content": ATTACK}}]},
        {"choices": [{"index": 0, "message": {"role": "assistant", "content": ATTACK}}]},
        {"generation": ATTACK, "stop_reason": None},
        {"completion": ATTACK, "type": "completion"},
        {"outputText": ATTACK, "index": 0},
        {"outputs": [{"text": ATTACK, "stop_reason": None}]},
    ],
)
def test_chunks_of_every_vendor_are_read(body: Any) -> None:
    assert [text for _, text in Invoke().chunk(chunk(body))] == [ATTACK]


def test_a_chunk_that_only_counts_has_no_text() -> None:
    assert list(Invoke().chunk(chunk({"amazon-bedrock-invocationMetrics": {"n": 1}}))) == []


@pytest.mark.parametrize(
    "event",
    [
        chunk({"speech": ATTACK}),
        chunk([ATTACK]),
        chunk({"outputs": [{"x": 1}]}),
        chunk({"choices": [1]}),
        {"news": ATTACK},
    ],
)
def test_a_chunk_that_cannot_be_read_ends_the_stream(event: Any) -> None:
    with pytest.raises(InputError, match="use converse"):
        list(Invoke().chunk(event))


DELTAS = [
    {"text": ATTACK},
    {"toolUse": {"input": ATTACK}},
    {"reasoningContent": {"text": ATTACK}},
    {"toolResult": [{"text": ATTACK}]},
]


@pytest.mark.parametrize(
    "event",
    [
        {"messageStop": {"additionalModelResponseFields": {"said": ATTACK}}},
        *({"contentBlockDelta": {"contentBlockIndex": 0, "delta": delta}} for delta in DELTAS),
    ],
)
def test_events_are_read(event: Any) -> None:
    assert ATTACK in next(iter(Converse().chunk(event)))[1]


def test_an_unknown_delta_ends_the_stream(client: Any, wire: Wire) -> None:
    with pytest.raises(InputError, match="Use converse"):
        list(Converse().chunk({"contentBlockDelta": {"delta": {"unheardOf": "Paris"}}}))


def test_arguments_by_position_are_refused_by_the_client(client: Any, wire: Wire) -> None:
    with pytest.raises(exceptions.ParamValidationError):
        client.converse("m", asked({"text": ATTACK})["messages"])
    assert wire.bodies == []


@pytest.mark.parametrize("service", ["s3", "bedrock-agent-runtime"])
def test_a_client_of_another_service_is_refused(guard: Guard, wire: Wire, service: str) -> None:
    other = client_of(service, wire.url)
    with pytest.raises(InputError, match=f"a client of {service}"):
        wrap(other, guard)
    other.close()
