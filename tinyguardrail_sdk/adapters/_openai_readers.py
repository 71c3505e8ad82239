"""Where the text is in chat completions and in the Responses API of OpenAI."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._leaves import further
from tinyguardrail_sdk.adapters._streams import as_answer, listed
from tinyguardrail_sdk.content import is_item, value_text
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.messages import message_texts

_SAID = ("content", "refusal", "reasoning_content", "reasoning")
# What is read of a message and of a choice, or is no text: the rest is read whole, whatever it is.
_MESSAGE = {*_SAID, "role", "audio", "function_call", "tool_calls", "annotations", "parsed"}
_CHOICE = {"index", "message", "delta", "finish_reason", "native_finish_reason", "stop_reason"}
_CHOICE |= {"logprobs", "content_filter_results", "content_filter_offsets"}
_CALL = {"function", "custom"}
# Of an answer; `obfuscation` is there to hide how long a chunk is.
_ANSWER = {"choices", "id", "object", "created", "model", "usage", "system_fingerprint"}
_ANSWER |= {"service_tier", "obfuscation"}
# Of an event that is not known: what is no text in any of them.
_EVENT = {"type", "item_id", "sequence_number", "partial_image_b64", "obfuscation"}
# Where the whole text is in the event that ends one of the Responses API.
_WHOLE = ("text", "refusal", "arguments", "input", "code", "transcript")


class ChatReader:
    """Reads chat completions."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        """Read the messages, documents beside them, and a file to be rewritten."""
        yield from listed(request.get("messages"))
        for document in listed(request.get("documents")):  # vLLM and LiteLLM take them
            yield "document", value_text(document)
        if request.get("prediction"):  # a file to be rewritten
            yield "document", request["prediction"].get("content")

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        """Read the choices, and every field that is not known."""
        for choice in response.get("choices") or ():
            if choice.get("message") or choice.get("text") is None:  # a legacy one has its text
                yield as_answer(choice["message"])
                yield from (text for _, text in further(choice["message"], _MESSAGE))
            yield from (text for _, text in further(choice, _CHOICE))
        yield from (text for _, text in further(response, _ANSWER))

    def chunk(self, chunk: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        """Read a chunk of a stream likewise."""
        for choice in chunk.get("choices") or ():
            deltas = [each for each in (choice.get("delta"), choice.get("message")) if each]
            found = [pair for delta in deltas for pair in _deltas(delta)]
            for key, text in (*found, *further(choice, _CHOICE)):
                if text:
                    yield (choice.get("index"), key), text
        yield from further(chunk, _ANSWER)


class ResponsesReader:
    """Reads the Responses API; of a stream, it remembers which texts came in pieces."""

    def __init__(self) -> None:
        self._seen: set[Hashable] = set()

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        """Read the input, and what fills in a stored prompt."""
        yield from listed(request.get("input"))
        prompt = request.get("prompt") or {}
        if prompt.get("variables"):
            yield "user", value_text(prompt["variables"])

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        """Read the output; of an answer without one, every text."""
        if "output" not in response:  # in another form, or an error's
            return [text for _, text in further(response, ())]
        return [as_answer(item) for item in response["output"] or ()]

    def chunk(self, event: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        """Read an event of a stream; of one that is not known, every text."""
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
        elif (kind, end) != ("response.audio", "delta") and not (
            end == "done" and key in self._seen
        ):
            for place, text in further(event, _EVENT):
                yield (key, end, place), text


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
        for place, text in further(call, _CALL):
            yield (call.get("index"), place), text
    yield from further(delta, _MESSAGE)


def _text(value: object) -> str:
    return value_text(value) if value is not None else ""
