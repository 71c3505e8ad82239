"""What holds for every adapter: streams, concurrency, imports."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pydantic
import pytest

from tests.adapters.shapes import ATTACK
from tests.adapters.wire import PIECE, Wire
from tinyguardrail_sdk import Blocked, Delay, Guard, InputError
from tinyguardrail_sdk.adapters import wrap

USER: Any = [{"role": "user", "content": "Tell me about Paris."}]
LONG = "The capital of France lies on the river Seine. " * 40


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_long_stream_flows_until_the_attack(guard: Guard, wire: Wire) -> None:
    wire.text = LONG + ATTACK + LONG
    said: list[str] = []
    with openai.OpenAI(api_key="none", base_url=f"{wire.url}/v1") as client:
        wrap(client, guard, delay=Delay(hold=100, every=50))
        stream = client.chat.completions.create(model="m", messages=USER, stream=True)
        with stream, pytest.raises(Blocked):
            said.extend(chunk.choices[0].delta.content or "" for chunk in stream)
    released = "".join(said)
    assert len(LONG) - 200 < len(released) <= len(LONG)
    assert LONG.startswith(released)
    assert stream.response.is_closed


def test_two_channels_are_held_apart(guard: Guard, wire: Wire) -> None:
    wire.text, wire.arguments = LONG, f'{{"n": "{ATTACK}"}}'
    events: list[Any] = []
    with anthropic.Anthropic(api_key="none", base_url=wire.url) as client:
        wrap(client, guard)
        stream = client.messages.create(model="m", max_tokens=9, messages=USER, stream=True)
        with stream, pytest.raises(Blocked):
            events.extend(stream)
    assert ATTACK[:PIECE] not in repr(events)
    kinds = [event.type for event in events]
    assert kinds.count("content_block_delta") > len(LONG) / PIECE / 2


def test_closing_early_closes_the_stream_of_the_client(guard: Guard, wire: Wire) -> None:
    wire.text = LONG
    with anthropic.Anthropic(api_key="none", base_url=wire.url) as client:
        wrap(client, guard)
        with client.messages.stream(model="m", max_tokens=9, messages=USER) as stream:
            next(iter(stream))
        assert stream.response.is_closed


def test_a_stream_gives_nothing_after_it_was_blocked(guard: Guard, wire: Wire) -> None:
    wire.text = ATTACK
    with openai.OpenAI(api_key="none", base_url=f"{wire.url}/v1") as client:
        wrap(client, guard)
        stream = client.chat.completions.create(model="m", messages=USER, stream=True)
        with pytest.raises(Blocked):
            list(stream)
        assert list(stream) == []


def test_concurrent_calls_do_not_mix(guard: Guard, wire: Wire) -> None:
    async def one(client: openai.AsyncOpenAI, number: int) -> str:
        text = ATTACK if number % 2 else f"Question {number}"
        try:
            stream = await client.responses.create(model="m", input=text, stream=True)
            kinds = [event.type async for event in stream]
        except Blocked:
            return "blocked"
        return kinds[-1]

    async def all_of_them() -> list[str]:
        async with openai.AsyncOpenAI(api_key="none", base_url=f"{wire.url}/v1") as client:
            wrap(client, guard)
            return await asyncio.gather(*(one(client, number) for number in range(12)))

    assert asyncio.run(all_of_them()) == ["response.completed", "blocked"] * 6
    assert len(wire.bodies) == 6


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
def test_without_the_client_the_adapter_says_what_to_install(vendor: str) -> None:
    code = (
        f"import sys; sys.modules[{vendor!r}] = None\n"
        f"from tinyguardrail_sdk.adapters.{vendor} import wrap\n"
        "try: wrap(object(), None)\n"
        "except ImportError as error: print(error)"
    )
    assert f"pip install 'tinyguardrail-sdk[{vendor}]'" in python(code)


@pytest.mark.parametrize("module", ["", ".openai", ".anthropic"])
def test_importing_an_adapter_imports_no_client(module: str) -> None:
    loaded = python(f"import sys, tinyguardrail_sdk.adapters{module}; print(*sys.modules)").split()
    assert {"openai", "anthropic", "onnxruntime", "torch"}.isdisjoint(loaded)


@pytest.mark.parametrize("client", [object(), Guard, "text"])
def test_other_objects_have_no_adapter(guard: Guard, client: Any) -> None:
    with pytest.raises(InputError, match="no adapter"):
        wrap(client, guard)


class City(pydantic.BaseModel):
    city: str


@pytest.fixture
def vendor_openai(guard: Guard, wire: Wire) -> Iterator[Any]:
    with openai.OpenAI(api_key="none", base_url=f"{wire.url}/v1") as client:
        wrap(client, guard)
        yield client


@pytest.fixture
def vendor_anthropic(guard: Guard, wire: Wire) -> Iterator[Any]:
    with anthropic.Anthropic(api_key="none", base_url=wire.url) as client:
        wrap(client, guard)
        yield client


def test_parsed_answers_of_openai(vendor_openai: Any, wire: Wire) -> None:
    wire.text = '{"city": "Paris"}'
    chat, responses = vendor_openai.chat.completions, vendor_openai.responses
    answer = chat.parse(model="m", messages=USER, response_format=City)
    assert answer.choices[0].message.parsed == City(city="Paris")
    assert responses.parse(model="m", input=USER, text_format=City).output_parsed.city == "Paris"
    with chat.stream(model="m", messages=USER, response_format=City) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == City(city="Paris")


def test_parsed_answers_of_anthropic(vendor_anthropic: Any, wire: Wire) -> None:
    wire.text = '{"city": "Paris"}'
    request = {"model": "m", "max_tokens": 9, "messages": USER, "output_format": City}
    assert vendor_anthropic.messages.parse(**request).parsed_output == City(city="Paris")
    with vendor_anthropic.messages.stream(**request) as stream:
        assert stream.get_final_message().parsed_output == City(city="Paris")


@pytest.mark.parametrize(
    "read", [lambda s: list(s.text_stream), lambda s: s.get_final_text(), lambda s: s.until_done()]
)
def test_every_way_to_read_a_stream_helper_is_held(
    vendor_anthropic: Any, wire: Wire, read: Callable[[Any], Any]
) -> None:
    wire.text = ATTACK
    with (
        pytest.raises(Blocked),
        vendor_anthropic.messages.stream(model="m", max_tokens=9, messages=USER) as stream,
    ):
        read(stream)


def test_a_raw_answer_that_was_asked_for_by_hand_is_not_returned(vendor_openai: Any) -> None:
    raw = {"X-Stainless-Raw-Response": "true"}
    with pytest.raises(InputError, match="ask for a plain one"):
        vendor_openai.chat.completions.create(model="m", messages=USER, extra_headers=raw)
