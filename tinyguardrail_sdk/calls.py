"""The seam for clients: guard a call, given how to read it.

An adapter says where the text is, in a `Reader` of three functions; the rest is here, once for
synchronous and asynchronous calls and streams. This one is for a client whose requests have
messages and whose answers are dictionaries:

```python
class DictReader:
    def request(self, request):
        return request["messages"]  # any shape that Guard.check_messages reads

    def response(self, response):
        return [response["message"]]

    def chunk(self, chunk):
        yield "text", chunk.get("text", "")
        for call in chunk.get("calls", ()):  # each tool call is a text of its own
            yield call["index"], call["arguments"]


def chat(client, guard, **request):
    return guarded_call(guard, DictReader(), request, lambda: client.chat(**request))


def stream(client, guard, **request):
    return guarded_stream(guard, DictReader(), request, lambda: client.stream(**request))
```

The request is judged before anything is sent; the answer before anything is returned. Where the
policy says `redact`, a call is stopped: nobody here knows how to write into a client's objects.
"""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Generator,
    Hashable,
    Iterable,
)
from typing import Any, Protocol, TypeVar

from tinyguardrail_sdk.checker import RAISE, Checker, OnBlock, answer_to, first_stop
from tinyguardrail_sdk.chunks import aheld_chunks, held_chunks
from tinyguardrail_sdk.closing import AsyncClosingIterator, ClosingIterator
from tinyguardrail_sdk.content import as_mapping
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.streaming import StreamGuard

Q = TypeVar("Q", contravariant=True)
R = TypeVar("R", contravariant=True)
C = TypeVar("C", contravariant=True)
Request = TypeVar("Request")
Response = TypeVar("Response")
Chunk = TypeVar("Chunk")


class Reader(Protocol[Q, R, C]):
    """Where a client has its text."""

    def request(self, request: Q) -> Iterable[Any]:
        """Return what goes to the model, as `Guard.check_messages` takes it.

        Messages of the client as they are, and pairs of a source and a text, such as
        `("document", page)`; a plain string is a user's.
        """
        ...

    def response(self, response: R) -> Iterable[Any]:
        """Return what the model said, likewise; a plain string is the model's."""
        ...

    def chunk(self, chunk: C) -> Iterable[tuple[Hashable, str]]:
        """Return the deltas in a chunk, each with a key of the text that it goes on with."""
        ...


def guarded_call(
    guard: Checker,
    reader: Reader[Request, Response, Any],
    request: Request,
    send: Callable[[], Response],
    *,
    on_block: OnBlock[Response] = RAISE,
) -> Response:
    """Judge a request, send it, judge the answer and return it.

    Args:
        guard: Who judges.
        reader: Where the text is.
        request: What `reader.request` reads; `send` must send the same.
        send: Makes the call.
        on_block: What to return instead of raising: a response, or a function of the verdict.

    Raises:
        Blocked: The request (then nothing was sent) or the answer.
        InputError: As `Guard.check_messages`.
    """
    stop = first_stop(guard.check_messages(owned(reader.request(request), Source.USER)))
    if stop is None:
        response = send()
        said = owned(reader.response(response), Source.OUTPUT)
        stop = first_stop(guard.check_messages(said))
        if stop is None:
            return response
    answer: Response = answer_to(stop, on_block)
    return answer


async def guarded_acall(
    guard: Checker,
    reader: Reader[Request, Response, Any],
    request: Request,
    send: Callable[[], Awaitable[Response]],
    *,
    on_block: OnBlock[Response] = RAISE,
) -> Response:
    """Like `guarded_call` for an asynchronous client, with the checks off the event loop."""
    stop = first_stop(await guard.acheck_messages(owned(reader.request(request), Source.USER)))
    if stop is None:
        response = await send()
        said = owned(reader.response(response), Source.OUTPUT)
        stop = first_stop(await guard.acheck_messages(said))
        if stop is None:
            return response
    answer: Response = answer_to(stop, on_block)
    return answer


def guarded_stream(
    guard: Checker,
    reader: Reader[Request, Any, Chunk],
    request: Request,
    send: Callable[[], Iterable[Chunk]],
    *,
    delay: Delay | None = None,
    on_block: OnBlock[Chunk] = RAISE,
) -> ClosingIterator[Chunk]:
    """Judge a request, send it, and return its chunks as their text is cleared.

    The request is judged and sent at once, not at the first chunk. A blocked stream ends with the
    chunk that `on_block` gives, or raises `Blocked` where it stands. The client's stream is closed
    when the returned one ends, fails or is closed.
    """
    stop = first_stop(guard.check_messages(owned(reader.request(request), Source.USER)))
    if stop is not None:
        return ClosingIterator(_one(answer_to(stop, on_block)))
    return held_chunks(StreamGuard(guard, delay=delay), send(), reader.chunk, on_block)


async def guarded_astream(
    guard: Checker,
    reader: Reader[Request, Any, Chunk],
    request: Request,
    send: Callable[[], Awaitable[AsyncIterable[Chunk]]],
    *,
    delay: Delay | None = None,
    on_block: OnBlock[Chunk] = RAISE,
) -> AsyncClosingIterator[Chunk]:
    """Like `guarded_stream` for an asynchronous client: await it, then iterate."""
    stop = first_stop(await guard.acheck_messages(owned(reader.request(request), Source.USER)))
    if stop is not None:
        return AsyncClosingIterator(_aone(answer_to(stop, on_block)))
    return aheld_chunks(StreamGuard(guard, delay=delay), await send(), reader.chunk, on_block)


def owned(messages: Iterable[Any], source: Source) -> list[Any]:
    """Return messages with plain strings among them given to a source."""
    # One message is a mapping, too: taken for a list, only its keys would be read.
    listed = (
        [messages] if isinstance(messages, str) or as_mapping(messages) is not None else messages
    )
    return [(source, each) if isinstance(each, str) else each for each in listed]


def _one(chunk: Chunk) -> Generator[Chunk, None, None]:
    yield chunk


async def _aone(chunk: Chunk) -> AsyncGenerator[Chunk, None]:
    yield chunk
