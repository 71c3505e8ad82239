"""The proxy of LiteLLM: a guardrail for its configuration.

pip install "tinyguardrail-sdk[litellm-proxy]"

Beside the configuration stands a file, `guard.py` say:

    Guardrail = guardrail(Guard())

and in the configuration:

    guardrails:
      - guardrail_name: tinyguardrail
        litellm_params: {guardrail: guard.Guardrail, mode: [pre_call, post_call], default_on: true}

Requests are judged before they are sent on (`pre_call`), answers before they are returned, and
streams are held back (`post_call`), on the routes of chat and text completions, responses and
Anthropic's messages. What is blocked, and what cannot be read, is a 400; requests of other routes
that have a model say something are refused. `during_call` would judge a request that has gone
already, so the proxy does not start with it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import arefuse, require
from tinyguardrail_sdk.adapters._http import data_of, events
from tinyguardrail_sdk.adapters._streams import Deferring, as_answer, listed, plain
from tinyguardrail_sdk.adapters.anthropic import MessagesReader
from tinyguardrail_sdk.adapters.litellm import ChatReader, ResponsesReader
from tinyguardrail_sdk.calls import owned
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.chunks import aheld_chunks
from tinyguardrail_sdk.closing import aclose_sources
from tinyguardrail_sdk.errors import Blocked, InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.streaming import StreamGuard

_EXTRA = "litellm-proxy"
_EVENTS = ("pre_call", "post_call", "pre_mcp_call")
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
_FIELDS = (
    *("messages", "input", "prompt", "prompt_variables", "prediction", "suffix", "fallbacks"),
    *("tools", "extra_body"),
)


def guardrail(guard: Checker, *, delay: Delay | None = None) -> Any:
    """Return a class of guardrails, of which the proxy makes what its configuration asks for.

    Args:
        guard: Who judges.
        delay: How much of a stream is held back.

    Raises:
        ImportError: LiteLLM is not installed, or not with what its proxy needs.
    """
    base = require("litellm.integrations.custom_guardrail", _EXTRA).CustomGuardrail
    refused = require("fastapi", _EXTRA).HTTPException
    hook = require("litellm.types.guardrails", _EXTRA).GuardrailEventHooks
    supported = [hook(each) for each in _EVENTS if each in {known.value for known in hook}]

    def init(self: Any, **options: Any) -> None:
        base.__init__(self, **{**options, "supported_event_hooks": supported})

    space = {"__init__": init, "_guard": guard, "_delay": delay, "_refused": refused}
    return type("Guardrail", (_Hooks, base), space)


class _Hooks:
    """The hooks of the guardrail; the proxy asks before each whether it is to run."""

    _guard: Checker
    _delay: Delay | None
    _refused: Any

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, hook in vars(_Hooks).items():
            if name.startswith("async_") and name not in vars(cls):
                setattr(cls, name, hook)  # the proxy passes over some that are only inherited

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: Any, call_type: str
    ) -> Any:
        with self._as_http():
            if _is_read(call_type):
                given = {name: data[name] for name in _FIELDS if name in data}
                asked = Deferring(_Reader()).request(given)
                await arefuse(self._guard, owned(asked, Source.USER))
        return data

    async def async_post_call_success_hook(
        self, data: Any, user_api_key_dict: Any, response: Any
    ) -> Any:
        with self._as_http():
            if type(response).__name__ not in _SILENT_ANSWERS:
                said = Deferring(_Reader()).response(response)
                await arefuse(self._guard, owned(said, Source.OUTPUT))
        return response

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: Any
    ) -> AsyncIterator[Any]:
        stream, reader = StreamGuard(self._guard, delay=self._delay), _Reader()
        # Of what is raised here the proxy makes an event, but of an error of HTTP, nothing at all.
        async with aheld_chunks(stream, _items(response), reader.chunk) as held:
            async for item in held:
                yield item

    @contextmanager
    def _as_http(self) -> Iterator[None]:
        try:
            yield
        except Blocked as error:
            detail = {"error": f"blocked: {error.verdict.label}"}
            raise self._refused(status_code=400, detail=detail) from error
        except InputError as error:
            raise self._refused(status_code=400, detail={"error": str(error)}) from error


class _Reader:
    """Reads the requests, answers and streams of every route that is guarded."""

    def __init__(self) -> None:
        self._chat = ChatReader()
        self._responses = ResponsesReader()
        self._messages = MessagesReader()

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
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
        if "choices" in answer:
            for choice in answer["choices"] or ():
                text = choice.get("text")
                yield as_answer(choice["message"]) if text is None else text
        elif "output" in answer:
            yield from self._responses.response(answer)
        elif answer.get("type") == "message":
            yield from self._messages.response(answer)
        else:
            raise InputError("the answers of this route cannot be read; leave it unguarded")

    def chunk(self, chunk: Any) -> Iterator[tuple[Hashable, str]]:
        item = plain(_event(chunk) if isinstance(chunk, bytes) else chunk)
        if "choices" in item:
            yield from self._chat.chunk(item)
            for choice in item["choices"] or ():
                if choice.get("text"):
                    yield (choice.get("index"), "text"), choice["text"]
        elif str(getattr(item.get("type"), "value", item.get("type"))).startswith("response."):
            yield from self._responses.chunk(item)
        elif not item or item.get("type") in _MESSAGE_EVENTS:
            yield from self._messages.chunk(item)
        else:
            raise InputError("the streams of this route cannot be read; leave it unguarded")


def _is_read(call_type: str) -> bool:
    """Whether the requests of a route are judged; others may have no model say anything."""
    names = {str(getattr(call_type, "value", call_type))}
    names |= {name.removeprefix("a") for name in names}
    if names.isdisjoint((*_READ, *_TOOLS, *_SILENT)):
        raise InputError(f"{min(names)} is not guarded yet, so the guardrail refuses it")
    return names.isdisjoint(_SILENT)


async def _items(response: Any) -> AsyncIterator[Any]:
    """The items of a stream; of bytes, whole events."""
    rest = b""
    try:
        async for item in response:
            if not isinstance(item, str | bytes):
                yield item
                continue
            came = item.encode() if isinstance(item, str) else item
            pieces, rest = events(rest + came, False)
            for piece in pieces:
                yield piece
        if rest:
            yield rest
    finally:
        await aclose_sources(response)


def _event(event: bytes) -> Any:
    """What an event says, empty where it says nothing."""
    data = data_of(event).strip()
    return json.loads(data) if data and data != "[DONE]" else {}
