"""Cohere's second API, synchronous and asynchronous.

pip install "tinyguardrail-sdk[cohere]"

    with wrap(ClientV2(), guard) as client:
        client.chat(model=..., messages=[...])

Guarded are `chat` and `chat_stream`, with their `documents`. The first API (`Client`) is not known
here, and what a second client still has of it (`generate`, `summarize`) is refused, as are raw
responses, `v2`, `batches`, `audio`, `parse`, and what a later version adds. Embeddings, ranking,
tokens, data sets and what manages models are as they were.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from tinyguardrail_sdk.adapters._engine import Plan, put_on
from tinyguardrail_sdk.adapters._handle import Handle
from tinyguardrail_sdk.adapters._streams import as_answer, listed
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.holdback import Delay

if TYPE_CHECKING:
    import cohere

ClientT = TypeVar("ClientT", bound="cohere.ClientV2 | cohere.AsyncClientV2")


def wrap(client: ClientT, guard: Checker, *, delay: Delay | None = None) -> Handle[ClientT]:
    """Guard a Cohere client, and return what undoes it.

    Args:
        client: `ClientV2` or `AsyncClientV2`.
        guard: Who judges requests and answers; blocked ones raise `Blocked`.
        delay: How much of a stream is held back.

    Raises:
        ImportError: `cohere` is not installed.
        InputError: The client is none of Cohere's second API.
        GuardrailError: Another guard is on it already.
    """
    return put_on(client, guard, _PLAN, delay)


class _Chat:
    """Reads chats."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        options = request.get("request_options") or {}
        request = {**request, **(options.get("additional_body_parameters") or {})}
        yield from listed(request.get("messages"))
        for document in listed(request.get("documents")):
            data = document if isinstance(document, str) else document.get("data", document)
            yield "document", value_text(data)

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        return [as_answer(response["message"])]

    def chunk(self, event: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        message = (event.get("delta") or {}).get("message") or {}
        if message.get("tool_plan"):
            yield "plan", message["tool_plan"]
        for part in listed(message.get("content")):  # what goes on is one alone
            for key in ("text", "thinking"):
                if part.get(key):
                    yield (event.get("index"), key), part[key]
        for call in listed(message.get("tool_calls")):
            arguments = (call.get("function") or {}).get("arguments")
            if arguments:
                yield (event.get("index"), "call"), arguments


_PLAN = Plan(
    package="cohere",
    extra="cohere",
    clients=("ClientV2", "AsyncClientV2"),
    calls={"chat": _Chat, "chat_stream": _Chat},
    allowed=(
        *("embed", "embed_stream", "embed_jobs", "rerank", "classify", "check_api_key"),
        *("tokenize", "detokenize", "batch_tokenize", "batch_detokenize", "fetch_tokenizer"),
        *("models", "datasets", "connectors", "finetuning", "utils", "wait"),
    ),
)
