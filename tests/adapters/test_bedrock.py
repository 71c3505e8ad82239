import io
import json
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import pytest

from tests.adapters.conformance import (
    ATTACK,
    PLAIN,
    QUESTION,
    STREAM,
    Conformance,
    Dialect,
    Request,
    Shape,
    installed,
)
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Guard, InputError
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.adapters.bedrock import _Converse, _said

boto3 = installed("boto3", extra="bedrock")
config: Any = pytest.importorskip("botocore.config")
exceptions: Any = pytest.importorskip("botocore.exceptions")

FOUND = f"9 to 5. {ATTACK}"


def asked(*blocks: Any) -> Request:
    return {
        "modelId": "m",
        "system": [{"text": f"You talk about {ATTACK}."}],  # the application may
        "messages": [{"role": "user", "content": list(blocks)}],
    }


def invoked(**body: Any) -> Request:
    return {"modelId": "m", "body": json.dumps({"max_tokens": 9, **body})}


def said(text: Any) -> list[Any]:
    return [{"role": "user", "content": text}]


RESULT = {"toolUseId": "t", "content": [{"text": "Hours:"}, {"json": {"hours": FOUND}}]}
PAGE = {"format": "md", "name": "Hours", "source": {"bytes": FOUND.encode()}}
CONVERSE = Dialect(
    ask=lambda text: asked({"text": text}),
    hostile={
        "tool": asked({"toolResult": RESULT}),
        "blocks": asked({"text": QUESTION}, {"text": ATTACK}),
        "text document": asked({"text": QUESTION}, {"document": PAGE}),
        "document": asked({"document": PAGE | {"source": {"text": FOUND}}}),
        "name": asked({"document": PAGE | {"source": {"text": "Monday."}, "name": ATTACK}}),
        "context": asked({"document": PAGE | {"source": {"text": "Monday."}, "context": FOUND}}),
        "search": asked({"searchResult": {"title": FOUND, "source": "s", "content": []}}),
        "guarded": asked({"guardContent": {"text": {"text": FOUND}}}),
        "variables": asked({"text": QUESTION}) | {"promptVariables": {"page": {"text": FOUND}}},
    },
)
TOOL = {"type": "tool_result", "tool_use_id": "t", "content": FOUND}
INVOKE = Dialect(
    ask=lambda text: invoked(messages=said(text), system=f"You talk about {ATTACK}."),
    hostile={
        "tool": invoked(messages=said([TOOL])),
        "bytes": {"modelId": "m", "body": json.dumps({"prompt": ATTACK}).encode()},
        "prompt": invoked(prompt=ATTACK),
        "titan": invoked(inputText=ATTACK),
        "nova": invoked(messages=said([{"text": ATTACK}])),
        "documents": invoked(messages=said(QUESTION), documents=[{"data": {"text": FOUND}}]),
    },
)


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
    ]
    limited = exceptions.ClientError
    example = (
        "Bedrock",
        '"bedrock-runtime"',
        '"bedrock-runtime", "us-east-1", endpoint_url="{url}", aws_access_key_id="none",'
        ' aws_secret_access_key="none"',
    )
    refused = [
        "invoke_model_with_response_stream",
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
        {"generation": ATTACK},
        {"completion": ATTACK},
        {"results": [{"outputText": ATTACK}]},
        {"outputs": [{"text": ATTACK}]},
    ],
)
def test_answers_of_every_vendor_are_read(body: Any) -> None:
    assert ATTACK in repr(list(_said(body)))


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
    assert ATTACK in next(iter(_Converse().chunk(event)))[1]


def test_an_unknown_delta_ends_the_stream(client: Any, wire: Wire) -> None:
    with pytest.raises(InputError, match="Use converse"):
        list(_Converse().chunk({"contentBlockDelta": {"delta": {"unheardOf": "Paris"}}}))


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
