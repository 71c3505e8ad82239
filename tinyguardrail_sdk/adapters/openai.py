"""OpenAI and Azure OpenAI, synchronous and asynchronous.

pip install "tinyguardrail-sdk[openai]"

    with wrap(OpenAI(), guard) as client:
        client.chat.completions.create(model=..., messages=[...])

Guarded are `create`, `parse`, `stream` and `retrieve` of chat completions and of responses, and the
clients that `copy` and `with_options` return. Raw and streaming responses, legacy completions,
lists of stored ones and of what went into them, `decisions`, `evals`, `beta`, `realtime`, `live`,
`conversations` and `batches` are refused. All else (images, speech and its transcription,
embeddings, vector stores, files, containers, ...), what was taken from the client before it was
wrapped, and `client.post` are as they were. Of a stream do not read `.response`: that is the wire.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from tinyguardrail_sdk.adapters._engine import Handle, Plan, put_on
from tinyguardrail_sdk.adapters._streams import as_answer, listed
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.content import is_item, value_text
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.messages import message_texts

if TYPE_CHECKING:
    import openai

ClientT = TypeVar("ClientT", bound="openai.OpenAI | openai.AsyncOpenAI")

_SAID = ("content", "refusal", "reasoning_content", "reasoning")
# Where the whole text is in the event that ends one of the Responses API.
_WHOLE = ("text", "refusal", "arguments", "input", "code", "transcript")


def wrap(client: ClientT, guard: Checker, *, delay: Delay | None = None) -> Handle[ClientT]:
    """Guard an OpenAI client, and return what undoes it.

    Args:
        client: `OpenAI`, `AsyncOpenAI`, or Azure's.
        guard: Who judges requests and answers; blocked ones raise `Blocked`.
        delay: How much of a stream is held back.

    Raises:
        ImportError: `openai` is not installed.
        InputError: The client is none of OpenAI's.
        GuardrailError: Another guard is on it already.
    """
    return put_on(client, guard, _PLAN, delay)


class _Chat:
    """Reads chat completions."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        yield from listed(request.get("messages"))
        if request.get("prediction"):  # a file to be rewritten
            yield "document", request["prediction"].get("content")

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        return [as_answer(choice["message"]) for choice in response.get("choices") or ()]

    def chunk(self, chunk: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        for choice in chunk.get("choices") or ():
            delta = choice.get("delta") or {}
            for key, text in _deltas(delta):
                if text:
                    yield (choice.get("index"), key), text


class _Responses:
    """Reads the Responses API; of a stream, it remembers which texts came in pieces."""

    def __init__(self) -> None:
        self._seen: set[Hashable] = set()

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        yield from listed(request.get("input"))
        prompt = request.get("prompt") or {}
        if prompt.get("variables"):
            yield "user", value_text(prompt["variables"])

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        return [as_answer(item) for item in response.get("output") or ()]

    def chunk(self, event: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        kind, _, end = str(event.get("type")).rpartition(".")
        item = event.get("output_index")
        key = (kind, item, event.get("content_index"), event.get("summary_index"))
        if end == "delta" and kind != "response.audio":  # that one is sound
            self._seen |= {key, item}
            yield key, _text(event.get("delta"))
        elif end == "done" and key not in self._seen and any(event.get(each) for each in _WHOLE):
            self._seen |= {key, item}
            for name in _WHOLE:
                yield (key, name), _text(event.get(name))
        elif kind == "response" and isinstance(event.get("response"), Mapping):
            for index, each in enumerate(event["response"].get("output") or ()):
                if index not in self._seen:
                    yield from _whole((index, end), each)
        elif event.get("item") or event.get("part"):
            part = event.get("item") or event["part"]
            # What a tool answered comes in no pieces, even where its arguments did.
            yield from _whole((item, end), part, tools_only=item in self._seen)
            if kind == "response.output_item" and end == "done":
                self._seen.add(item)


def _whole(
    key: Hashable, part: Mapping[str, Any], *, tools_only: bool = False
) -> Iterator[tuple[Hashable, str]]:
    """Texts of an output item, or of a part of one."""
    is_message = part.get("role") or is_item(part.get("type"))
    message = as_answer(part) if is_message else {"role": "assistant", "content": [part]}
    for each in message_texts([message]):
        if each.source is not Source.OUTPUT or not tools_only:
            yield (key, each.source), each.text


def _deltas(delta: Mapping[str, Any]) -> Iterator[tuple[Hashable, Any]]:
    for key in _SAID:
        yield key, delta.get(key)
    yield "audio", (delta.get("audio") or {}).get("transcript")
    yield "function_call", (delta.get("function_call") or {}).get("arguments")
    for call in delta.get("tool_calls") or ():
        for kind, key in (("function", "arguments"), ("custom", "input")):
            yield (kind, call.get("index")), (call.get(kind) or {}).get(key)


def _text(value: object) -> str:
    return value_text(value) if value is not None else ""


_PLAN = Plan(
    package="openai",
    extra="openai",
    clients=("OpenAI", "AsyncOpenAI"),
    calls={
        "chat.completions.create": _Chat,
        "chat.completions.parse": _Chat,
        "chat.completions.retrieve": _Chat,
        "chat.completions.update": _Chat,
        "responses.create": _Responses,
        "responses.parse": _Responses,
        "responses.retrieve": _Responses,
        "responses.cancel": _Responses,
    },
    managers={"chat.completions.stream": _Chat, "responses.stream": _Responses},
    copies=("copy", "with_options"),
    refused=(
        "with_raw_response",
        "with_streaming_response",
        "chat.with_raw_response",
        "chat.with_streaming_response",
        "chat.completions.with_raw_response",
        "chat.completions.with_streaming_response",
        "chat.completions.list",
        "chat.completions.messages",
        "responses.with_raw_response",
        "responses.with_streaming_response",
        "responses.connect",
        "responses.compact",
        "responses.input_items",
        "completions",
        "decisions",
        "evals",
        "beta",
        "realtime",
        "live",
        "conversations",
        "batches",
    ),
)
