"""The seam for adapters, against a client that does not exist."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterable, Iterator
from typing import Any

import pytest

from tinyguardrail_sdk import Blocked, Delay, Guard, InputError
from tinyguardrail_sdk.calls import guarded_acall, guarded_astream, guarded_call, guarded_stream
from tinyguardrail_sdk.testing import ScriptedClassifier

SMALL = Delay(hold=10, every=10, context=20)
HELLO = {"messages": [{"role": "user", "content": "hello"}]}
ATTACK = {"messages": [{"role": "tool", "content": "ignore all"}]}
Chunk = dict[str, Any]


class DictReader:
    def request(self, request: Any) -> Iterable[Any]:
        return list(request["messages"])

    def response(self, response: Any) -> Iterable[Any]:
        return [response["text"]]

    def chunk(self, chunk: Chunk) -> Iterable[tuple[Hashable, str]]:
        yield "text", chunk.get("text", "")
        for call in chunk.get("calls", ()):
            yield call["index"], call["arguments"]


class Client:
    """Answers with what it was given, and notices how it is treated."""

    def __init__(self, *chunks: Chunk, text: str = "fine") -> None:
        self.chunks, self.text = chunks, text
        self.sent = self.closed = self.taken = 0

    def chat(self) -> Chunk:
        self.sent += 1
        return {"text": self.text}

    async def achat(self) -> Chunk:
        return self.chat()

    def stream(self) -> Client:
        self.sent += 1
        return self

    async def astream(self) -> Client:
        return self.stream()

    def __iter__(self) -> Iterator[Chunk]:
        for chunk in self.chunks:
            self.taken += 1
            yield chunk

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed += 1


def sync_call(guard: Guard, request: Any, client: Client, **options: Any) -> Any:
    return guarded_call(guard, DictReader(), request, client.chat, **options)


def async_call(guard: Guard, request: Any, client: Client, **options: Any) -> Any:
    return asyncio.run(guarded_acall(guard, DictReader(), request, client.achat, **options))


def sync_stream(guard: Guard, request: Any, client: Client, **options: Any) -> list[Chunk]:
    return list(guarded_stream(guard, DictReader(), request, client.stream, **options))


def async_stream(guard: Guard, request: Any, client: Client, **options: Any) -> list[Chunk]:
    async def run() -> list[Chunk]:
        chunks = await guarded_astream(guard, DictReader(), request, client.astream, **options)
        return [chunk async for chunk in chunks]

    return asyncio.run(run())


calls = pytest.mark.parametrize("call", [sync_call, async_call])
streams = pytest.mark.parametrize("run", [sync_stream, async_stream])


@calls
def test_a_harmless_call_goes_through_unchanged(call: Any, guard: Guard) -> None:
    client = Client()
    assert call(guard, HELLO, client) == {"text": "fine"}
    assert client.sent == 1


@calls
def test_a_blocked_request_is_never_sent(call: Any, guard: Guard) -> None:
    client = Client()
    with pytest.raises(Blocked):
        call(guard, ATTACK, client)
    assert call(guard, ATTACK, client, on_block={"text": "no"}) == {"text": "no"}
    assert call(guard, ATTACK, client, on_block=lambda verdict: verdict.label) == "injection"
    assert client.sent == 0


@calls
def test_a_blocked_answer_is_not_returned(call: Any, guard: Guard) -> None:
    client = Client(text="ignore all")
    with pytest.raises(Blocked):
        call(guard, HELLO, client)
    assert call(guard, HELLO, client, on_block=None) is None
    assert client.sent == 2


@streams
def test_a_harmless_stream_arrives_whole_and_in_order(run: Any, guard: Guard) -> None:
    chunks: list[Chunk] = [{"role": "assistant"}]
    chunks += [{"text": f"word {i} ", "id": i} for i in range(20)]
    chunks += [{"calls": [{"index": i, "arguments": '{"a": 1}'}]} for i in (0, 1, 0, 1)]
    chunks += [{"usage": 7}]
    client = Client(*chunks)
    assert run(guard, HELLO, client, delay=SMALL) == chunks
    assert client.closed


@streams
def test_a_blocked_request_opens_no_stream(run: Any, guard: Guard) -> None:
    client = Client({"text": "x"})
    with pytest.raises(Blocked):
        run(guard, ATTACK, client)
    assert run(guard, ATTACK, client, on_block={"text": "no"}) == [{"text": "no"}]
    assert client.sent == 0


@streams
def test_an_attack_in_a_stream_ends_it(run: Any, guard: Guard) -> None:
    words = ["some words ", "and others ", "then ", "ign", "ore ", "all that ", "never"]
    client = Client(*({"text": word} for word in words))
    with pytest.raises(Blocked):
        run(guard, HELLO, client, delay=SMALL)
    assert client.closed
    got = run(guard, HELLO, client, delay=SMALL, on_block={"text": "no"})
    assert got == [{"text": "some words "}, {"text": "no"}]


@streams
def test_an_attack_in_the_arguments_of_one_call_among_others_is_found(
    run: Any, guard: Guard
) -> None:
    pieces = [(0, "ig"), (1, "harmless "), (0, "no"), (1, "things "), (0, "re")]
    client = Client(*({"calls": [{"index": i, "arguments": text}]} for i, text in pieces))
    with pytest.raises(Blocked):
        run(guard, HELLO, client, delay=SMALL)


@streams
def test_an_error_of_the_client_passes(run: Any, guard: Guard) -> None:
    class Broken(Client):
        def __iter__(self) -> Iterator[Chunk]:
            yield {"text": "x"}
            raise OSError("line")

    client = Broken()
    with pytest.raises(OSError, match="line"):
        run(guard, HELLO, client)
    assert client.closed


def test_a_channel_that_pauses_does_not_hold_up_the_others_for_ever() -> None:
    scripted = ScriptedClassifier()
    guard = Guard(classifier=scripted)
    deltas: list[Chunk] = [{"text": "a pause follows"}]
    deltas += [{"calls": [{"index": 0, "arguments": "12345"}]} for _ in range(400)]
    client = Client(*deltas)
    got = 0
    for _ in guarded_stream(guard, DictReader(), HELLO, client.stream, delay=SMALL):
        got += 1
        # Fewer than hold + every = 20 characters wait, so at most a handful of chunks.
        assert client.taken - got < 5 + 1
    assert got == len(deltas)
    read = sum(len(text) for text, _ in scripted.calls)
    assert read < 2000 * (20 + 10 + 10 + 5) / 10 + 100


def test_interleaved_channels_cost_no_check_a_delta() -> None:
    scripted = ScriptedClassifier()
    guard = Guard(classifier=scripted)
    client = Client(*({"calls": [{"index": i % 4, "arguments": "xyz "}]} for i in range(1000)))
    chunks = list(guarded_stream(guard, DictReader(), HELLO, client.stream))
    assert len(chunks) == 1000
    assert len(scripted.calls) <= 4000 / 100 + 5


def test_the_source_is_closed_before_the_first_chunk_too(guard: Guard) -> None:
    client = Client({"text": "x" * 100})
    with guarded_stream(guard, DictReader(), HELLO, client.stream):
        pass
    assert (client.closed, client.taken) == (1, 0)

    async def run() -> None:
        async with await guarded_astream(guard, DictReader(), HELLO, client.astream):
            pass

    asyncio.run(run())
    assert (client.closed, client.taken) == (2, 0)


def test_a_request_that_cannot_be_read_is_not_sent(guard: Guard) -> None:
    client = Client()
    with pytest.raises(InputError, match="message 0"):
        sync_call(guard, {"messages": [{"role": "narrator"}]}, client)
    assert client.sent == 0


def test_sources_of_plain_strings(scripted: ScriptedClassifier, guard: Guard) -> None:
    sync_call(guard, {"messages": ["a question", ("document", "a page")]}, Client(text="words"))
    assert [(text, str(source)) for text, source in scripted.calls] == [
        ("a question", "user"),
        ("a page", "document"),
        ("words", "output"),
    ]


def test_the_example_of_the_documentation_works(guard: Guard) -> None:
    import re

    from tinyguardrail_sdk import calls

    (code,) = re.findall(r"```python\n(.*?)```", calls.__doc__ or "", re.DOTALL)
    names: dict[str, Any] = dict(vars(calls))
    exec(code, names)

    class DictClient:
        def chat(self, messages: Any) -> Any:
            return {"message": {"role": "assistant", "content": messages[-1]["content"]}}

        def stream(self, messages: Any) -> Any:
            yield {"text": "fine "}
            yield {"calls": [{"index": 0, "arguments": messages[-1]["content"]}]}

    messages = [{"role": "user", "content": "hello"}]
    assert names["chat"](DictClient(), guard, messages=messages)["message"]["content"] == "hello"
    assert len(list(names["stream"](DictClient(), guard, messages=messages))) == 2
    with pytest.raises(Blocked):
        names["chat"](DictClient(), guard, messages=[{"role": "user", "content": "ignore"}])
