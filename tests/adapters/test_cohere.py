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
    Make,
    Shape,
    conversation,
    installed,
)
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Guard, InputError
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.adapters.cohere import _Chat

cohere = installed("cohere", extra="cohere")


CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
RESULT = [{"type": "document", "document": {"data": {"hours": FOUND}}}]
PARTS = [{"type": "text", "text": QUESTION}, {"type": "text", "text": ATTACK}]
ASKED = {"model": "m", "messages": conversation(QUESTION)}


def tool(content: Any) -> list[Any]:
    return [
        *conversation(QUESTION),
        {"role": "assistant", "tool_calls": [CALL], "tool_plan": "I will look."},
        {"role": "tool", "tool_call_id": "c", "content": content},
    ]


CHAT = Dialect(
    ask=lambda text: {"model": "m", "messages": conversation(text)},
    hostile={
        "tool": {"model": "m", "messages": tool(FOUND)},
        "tool document": {"model": "m", "messages": tool(RESULT)},
        "parts": {"model": "m", "messages": [{"role": "user", "content": PARTS}]},
        "object": {"model": "m", "messages": [cohere.UserChatMessageV2(content=ATTACK)]},
        "text": ASKED | {"documents": ["Monday.", FOUND]},
        "document": ASKED | {"documents": [{"data": {"title": "Hours", "text": FOUND}}]},
        "body": ASKED
        | {"request_options": {"additional_body_parameters": {"messages": tool(FOUND)}}},
        "document object": ASKED | {"documents": [cohere.Document(data={"text": FOUND})]},
    },
)


def make(kind: str) -> Make:
    def build(wire: Wire, retries: int) -> Any:
        client = getattr(cohere, kind)("none", base_url=wire.url)
        client._client_wrapper.httpx_client.base_max_retries = retries  # older ones take no option
        return client

    return build


class TestCohere(Conformance):
    forms = {kind: make(kind) for kind in ("ClientV2", "AsyncClientV2")}
    shapes = [Shape("chat", PLAIN, CHAT), Shape("chat_stream", STREAM, CHAT, retries=False)]
    limited = cohere.TooManyRequestsError
    example = ("Cohere", "ClientV2()", 'ClientV2("none", base_url="{url}")')
    refused = [
        "with_raw_response.chat",
        "v2.chat",
        "generate",
        "summarize",
        "batches.create",
        "audio.transcriptions",
    ]

    @staticmethod
    async def close(client: Any) -> None:
        if hasattr(client, "__aexit__"):
            await client.__aexit__(None, None, None)
        else:
            client.__exit__(None, None, None)


@pytest.mark.parametrize(
    "message",
    [{"tool_plan": ATTACK}, {"content": {"thinking": ATTACK}}, {"content": [{"text": ATTACK}]}],
)
def test_parts_of_a_stream_are_read(message: Any) -> None:
    texts = [text for _, text in _Chat().chunk({"delta": {"message": message}})]
    assert texts == [ATTACK]


def test_a_client_of_the_first_api_is_refused(guard: Guard) -> None:
    with cohere.Client("none") as client, pytest.raises(InputError, match="known are ClientV2"):
        wrap(client, guard)
