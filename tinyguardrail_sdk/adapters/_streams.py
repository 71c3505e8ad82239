"""How a client's objects are read, and where its streams keep what they take their chunks from."""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Callable,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
)
from typing import Any

from tinyguardrail_sdk.adapters._bodies import (
    AnyReader,
    body_messages,
    hold_body,
    response_in,
    response_under,
)
from tinyguardrail_sdk.adapters._own_iterator import own_iterator
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.chunks import aheld_chunks, held_chunks
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.streaming import StreamGuard

# Attributes of stream objects: OpenAI and Anthropic; Mistral.
_CHUNKS = ("_iterator", "generator")
# Keys of streams of events: of Bedrock's conversations; of its single models.
_EVENTS = ("stream", "body")
_SIMPLE = (str, int, float, bytes, type(None))


class Deferring:
    """A reader of plain values, to which a stream is an answer without text: that comes later.

    Attributes:
        reader: The one that reads what is plain.
        has_answer: Whether it read an answer whole, so that nothing of it comes later.
    """

    def __init__(self, reader: AnyReader) -> None:
        self.reader = reader
        self.has_answer = False

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        """Read the arguments of a call."""
        given = {key: value for key, value in request.items() if not _is_absent(value)}
        # The clients merge `extra_body` over the rest before they send it.
        body = given.pop("extra_body", None) or {}
        return self.reader.request(plain(given | dict(body)))

    async def receive(self, response: Any) -> None:
        """Let the reader await what it is going to read of an answer, if it is one that does."""
        receive = getattr(self.reader, "receive", None)
        if receive is not None:
            await receive(response)

    def response(self, response: Any) -> Iterable[Any]:
        """Read what a call returned."""
        if (raw := response_in(response)) is not None:
            return body_messages(self.reader, raw) if raw.is_closed else []
        if _chunks_of(response) is not None:
            return []
        said = plain(response)
        if not isinstance(said, Mapping):
            raise InputError(
                f"{type(response).__name__} is an answer that cannot be read; ask for a plain one"
            )
        self.has_answer = True
        return self.reader.response(said)

    def chunk(self, chunk: Any) -> Iterable[tuple[Hashable, str]]:
        """Read a chunk of a stream."""
        return self.reader.chunk(plain(chunk))


def plain(value: Any) -> Any:
    """Return a client's objects as mappings and lists, without warnings of their serialisers."""
    if isinstance(value, _SIMPLE):  # most values are, and the next questions take longer
        return value
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return value.model_dump(warnings=False)
    return value


def listed(value: Any) -> list[Any]:
    """Return what may be nothing, one, or several as a list; what is one, a client may refuse."""
    if value is None or value == "":
        return []
    one = isinstance(value, str | Mapping) or not isinstance(value, Iterable)
    return [value] if one else list(value)


def as_answer(message: Any) -> Any:
    """Return a message as the model's, whatever role it gives itself."""
    has_role = isinstance(message, Mapping) and "role" in message
    return {**message, "role": "assistant"} if has_role else message


def held(
    guard: Checker, delay: Delay | None, reader: Deferring, answer: Any, *, awaited: bool = False
) -> Any:
    """Return an answer as it is; of a stream or a raw one, the same object with its text held back.

    Where the stream is nothing but a generator, an iterator that also closes it is returned.
    `awaited` decides for streams that are iterators of both kinds.
    """
    if reader.has_answer:
        return answer
    raw, found = response_in(answer) or response_under(answer), _chunks_of(answer)
    if raw is not None and not raw.is_closed:
        hold_body(guard, delay, reader.reader, raw)
    if raw is not None or found is None:
        return answer
    chunks, put = found
    if chunks is answer and hasattr(answer, "__dict__"):
        chunks, put = own_iterator(answer)
    both = hasattr(chunks, "__next__") and hasattr(chunks, "__anext__")
    hold: Any = aheld_chunks if (awaited if both else hasattr(chunks, "__anext__")) else held_chunks
    return put(hold(StreamGuard(guard, delay=delay), chunks, reader.chunk))


def _chunks_of(answer: Any) -> tuple[Any, Callable[[Any], Any]] | None:
    """The chunks in an answer and what puts others in their place; None where it is no stream."""
    stream = getattr(answer, "_raw_stream", answer)  # a helper has the stream inside
    for name in _CHUNKS:
        # A vendor may answer with fields of such a name as well, but not with iterators.
        if isinstance(getattr(stream, name, None), Iterator | AsyncIterator):

            def put(chunks: Any, name: str = name) -> Any:
                setattr(stream, name, chunks)
                return answer

            return getattr(stream, name), put
    for name in _EVENTS if isinstance(answer, MutableMapping) else ():
        # A body that can be read is there as a whole.
        if hasattr(answer.get(name), "__iter__") and not hasattr(answer[name], "read"):

            def replace(chunks: Any, name: str = name) -> Any:
                answer[name] = chunks
                return answer

            return answer[name], replace
    if isinstance(answer, Iterator | AsyncIterator):
        return answer, lambda chunks: chunks
    return None


def _is_absent(value: object) -> bool:
    return value is None or type(value).__name__ in ("Omit", "NotGiven", "Unset")
