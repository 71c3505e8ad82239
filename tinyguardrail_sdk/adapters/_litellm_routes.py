"""Where the text is on the routes of LiteLLM's proxy, and which of them have any."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._anthropic_readers import MessagesReader
from tinyguardrail_sdk.adapters._http import data_of
from tinyguardrail_sdk.adapters._streams import listed, plain
from tinyguardrail_sdk.adapters.litellm import ChatReader, ResponsesReader
from tinyguardrail_sdk.errors import InputError

_READ = ("completion", "text_completion", "responses", "anthropic_messages")
_TOOLS = ("mcp_call", "call_mcp_tool")  # the proxy makes messages of their arguments
# What has no model say anything; each is named with and without an "a" before it.
_SILENT = (
    *("embedding", "embeddings", "moderation", "rerank", "search", "ocr", "speech"),
    *("transcription", "audio_transcription", "image_generation", "image_edit", "create_file"),
    *("file_retrieve", "file_delete", "file_list", "file_content", "vector_store_search"),
)
_SILENT_ANSWERS = (
    *("EmbeddingResponse", "OpenAIModerationResponse", "RerankResponse", "SearchResponse"),
    *("OCRResponse", "HttpxBinaryResponseContent", "TranscriptionResponse", "ImageResponse"),
    *("OpenAIFileObject", "FileDeleted", "VectorStoreSearchResponse"),
)
_MESSAGE_EVENTS = (
    *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
    *("message_delta", "message_stop", "ping", "error"),
)
# Where a request can have text; the rest of it is the proxy's own.
FIELDS = (
    *("messages", "input", "prompt", "prompt_variables", "prediction", "suffix", "fallbacks"),
    *("tools", "documents", "extra_body"),
)


class RouteReader:
    """Reads the requests, answers and streams of every route that is guarded."""

    def __init__(self) -> None:
        self._chat = ChatReader()
        self._responses = ResponsesReader()
        self._messages = MessagesReader()

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        """Read the `FIELDS` of a request."""
        prompt = request.get("prompt")
        if isinstance(prompt, Mapping):  # a stored one, of the Responses API
            yield from self._responses.request({"prompt": prompt})
        yield from self._chat.request(request)
        yield from listed(request.get("input"))
        for each in () if isinstance(prompt, Mapping) else listed(prompt):
            if not isinstance(each, str):
                raise InputError("a prompt of tokens cannot be read; send it as text")
            yield "user", each
        if request.get("suffix"):
            yield "document", request["suffix"]

    def response(self, answer: Mapping[str, Any]) -> Iterable[Any]:
        """Read an answer, by its form."""
        if "choices" in answer:
            return self._chat.response(answer)
        if "output" in answer:
            return self._responses.response(answer)
        if answer.get("type") == "message":
            return self._messages.response(answer)
        raise InputError("the answers of this route cannot be read; leave it unguarded")

    def chunk(self, chunk: Any) -> Iterator[tuple[Hashable, str]]:
        """Read an item of a stream, by its form: an object, or a server-sent event."""
        item = plain(_event(chunk) if isinstance(chunk, bytes) else chunk)
        if "choices" in item:
            return self._chat.chunk(item)
        if str(getattr(item.get("type"), "value", item.get("type"))).startswith("response."):
            return self._responses.chunk(item)
        if not item or item.get("type") in _MESSAGE_EVENTS:
            return self._messages.chunk(item)
        raise InputError("the streams of this route cannot be read; leave it unguarded")


def is_read(call_type: str) -> bool:
    """Return whether the requests of a route are judged; others have no model say anything.

    Raises:
        InputError: The route is not known.
    """
    names = {str(getattr(call_type, "value", call_type))}
    names |= {name.removeprefix("a") for name in names}
    if names.isdisjoint((*_READ, *_TOOLS, *_SILENT)):
        raise InputError(f"{min(names)} is not guarded yet, so the guardrail refuses it")
    return names.isdisjoint(_SILENT)


def is_silent(answer: Any) -> bool:
    """Return whether an answer is of a route that has no model say anything."""
    return type(answer).__name__ in _SILENT_ANSWERS


def _event(event: bytes) -> Any:
    """What an event says, empty where it says nothing."""
    data = data_of(event).strip()
    return json.loads(data) if data and data != "[DONE]" else {}
