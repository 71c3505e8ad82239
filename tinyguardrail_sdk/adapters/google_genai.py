"""Gemini, through the one client of `google-genai`, which has synchronous and asynchronous methods.

pip install "tinyguardrail-sdk[google-genai]"

    with wrap(Client(), guard) as client:
        client.models.generate_content(model=..., contents=...)

Guarded are `generate_content` and `generate_content_stream` of `models` and `aio.models`, and with
them the chats of `chats` and `aio.chats`, which call functions and send their results through them.
Where `models` itself would call functions it is refused, for their results would go by: use a chat,
or turn `automatic_function_calling` off. Refused are also cached contents, parts that are neither
text nor media, `interactions`, `agents`, `live`, `batches`, `caches`, and what later versions add.
Images, videos, embeddings, files and what manages models are as they were.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from tinyguardrail_sdk.adapters._engine import Plan, put_on
from tinyguardrail_sdk.adapters._handle import Handle
from tinyguardrail_sdk.adapters._streams import listed
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.messages import message_texts

if TYPE_CHECKING:
    import google.genai

ClientT = TypeVar("ClientT", bound="google.genai.Client")


def wrap(client: ClientT, guard: Checker, *, delay: Delay | None = None) -> Handle[ClientT]:
    """Guard a Gemini client, and return what undoes it.

    Args:
        client: `google.genai.Client`, for either service.
        guard: Who judges requests and answers; blocked ones raise `Blocked`.
        delay: How much of a stream is held back.

    Raises:
        ImportError: `google-genai` is not installed.
        InputError: The client is another one.
        GuardrailError: Another guard is on it already.
    """
    return put_on(client, guard, _PLAN, delay)


class _Contents:
    """Reads contents and candidates."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        config = request.get("config") or {}
        options = _setting(config, "http_options", "httpOptions") or {}
        body = _setting(options, "extra_body", "extraBody") or {}
        if any(_setting(each, "cached_content", "cachedContent") for each in (config, body)):
            raise InputError("cached content cannot be read; send it with the request")
        by_itself = _setting(config, "automatic_function_calling", "automaticFunctionCalling") or {}
        functions = [each for each in config.get("tools") or () if not isinstance(each, Mapping)]
        if functions and not by_itself.get("disable"):
            raise InputError(
                "results of functions that are called automatically would not be judged; use a "
                "chat, or set automatic_function_calling to {'disable': True}"
            )
        yield from (*listed(request.get("contents")), *listed(body.get("contents")))

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        candidates = response.get("candidates") or ()
        return [each["content"] | _MODEL for each in candidates if each.get("content")]

    def chunk(self, chunk: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        for candidate in chunk.get("candidates") or ():
            index = candidate.get("index")
            for part in (candidate.get("content") or {}).get("parts") or ():
                call = part.get("function_call") or {}
                if call.get("partial_args"):
                    for piece in call["partial_args"]:
                        yield (index, piece.get("json_path")), piece.get("string_value") or ""
                    continue
                kind = next(key for key, value in part.items() if value is not None)
                kind = "thought" if part.get("thought") else kind
                for each in message_texts([_MODEL | {"parts": [part]}]):
                    yield (index, kind, each.source), each.text


def _setting(settings: Mapping[str, Any], name: str, as_sent: str) -> Any:
    """A setting in either of its spellings: of a dictionary the client takes both."""
    return settings.get(name) or settings.get(as_sent)


_MODEL = {"role": "model"}
_PLAN = Plan(
    package="google.genai",
    extra="google-genai",
    clients=("Client",),
    calls={
        f"{form}models.{name}": _Contents
        for form in ("", "aio.")
        for name in ("generate_content", "generate_content_stream")
    },
    allowed=(
        *("close", "aio.aclose", "vertexai", "models.vertexai", "aio.models.vertexai"),
        *(
            f"{form}{name}"
            for form in ("", "aio.")
            for name in (
                *("chats", "files", "file_search_stores", "tunings", "operations", "auth_tokens"),
                *("models.count_tokens", "models.compute_tokens", "models.embed_content"),
                *("models.get", "models.list", "models.update", "models.delete"),
                *("models.generate_images", "models.edit_image", "models.upscale_image"),
                *("models.recontext_image", "models.segment_image", "models.generate_videos"),
            )
        ),
    ),
)
