import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from operator import itemgetter
from typing import Any

import pytest

from tests.adapters.bedrock_requests import CONVERSE, INVOKE
from tests.adapters.conformance import PLAIN, QUESTION, STREAM, Conformance, Shape
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Guard
from tinyguardrail_sdk.adapters import wrap

REASON = "needs the client: pip install 'tinyguardrail-sdk[bedrock-async]'"
aiobotocore: Any = pytest.importorskip("aiobotocore.session", reason=REASON)
config: Any = pytest.importorskip("aiobotocore.config")
exceptions: Any = pytest.importorskip("botocore.exceptions")


def client_of(wire: Wire, retries: int = 0) -> Any:
    again = {"total_max_attempts": 1 + retries, "mode": "standard"}
    making = aiobotocore.get_session()._create_client(  # the public one enters it in this loop
        "bedrock-runtime",
        endpoint_url=wire.url,
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=config.AioConfig(retries=again),
    )
    return asyncio.run(making)


class TestBedrockAsync(Conformance):
    forms = {"aiobotocore": client_of}
    shapes = [
        Shape(path, kind, dialect, opened=opened, asynchronous=True)
        for path, kind, dialect, opened in (
            ("converse", PLAIN, CONVERSE, lambda answer: answer),
            ("converse_stream", STREAM, CONVERSE, itemgetter("stream")),
            ("invoke_model", PLAIN, INVOKE, lambda answer: answer["body"].read()),
            ("invoke_model_with_response_stream", STREAM, INVOKE, itemgetter("body")),
        )
    ]
    limited = exceptions.ClientError
    refused = ["start_async_invoke", "generate_presigned_url"]
    example = (
        "Bedrock, asynchronous",
        '"bedrock-runtime"',
        '"bedrock-runtime", region_name="us-east-1", endpoint_url="{url}",'
        ' aws_access_key_id="none", aws_secret_access_key="none"',
    )

    @asynccontextmanager
    async def alive(self, client: Any) -> AsyncIterator[None]:
        async with client:
            yield


async def _joined(pieces: Any) -> bytes:
    return b"".join([piece async for piece in pieces])


async def _entered(body: Any) -> bytes:
    async with body:
        return await _joined(body)


READ: dict[str, Callable[[Any], Awaitable[bytes]]] = {
    "read": lambda body: body.read(),
    "pieces": lambda body: _joined(body.iter_chunks(7)),
    "lines": lambda body: _joined(body.iter_lines()),
    "entered": _entered,
}


@pytest.mark.parametrize("reading", READ)
def test_a_body_can_be_read_as_without_a_guard(guard: Guard, wire: Wire, reading: str) -> None:
    async def read(client: Any) -> Any:
        async with client:
            answer = await client.invoke_model(**INVOKE.ask(QUESTION))
            body = answer["body"]
            return type(body), await READ[reading](body), body.tell()

    plain = asyncio.run(read(client_of(wire)))
    guarded = client_of(wire)
    wrap(guarded, guard)
    assert asyncio.run(read(guarded)) == plain
