"""Ollama, synchronous and asynchronous.

pip install "tinyguardrail-sdk[ollama]"

    with wrap(Client(), guard) as client:
        client.chat(model=..., messages=[...])

Guarded are `chat` and `generate`. `systemone`, what a later version adds, and `generate` with a
`context`, which is of tokens, are refused. Embeddings, the search and what manages models are as
they were; what a search found is judged when it goes to the model. The functions of the module
itself, `ollama.chat` say, use a client of their own: make a `Client` and call its methods.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from tinyguardrail_sdk.adapters._engine import Handle, Plan, put_on
from tinyguardrail_sdk.adapters._streams import as_answer, listed
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay

if TYPE_CHECKING:
    import ollama

ClientT = TypeVar("ClientT", bound="ollama.Client | ollama.AsyncClient")


def wrap(client: ClientT, guard: Checker, *, delay: Delay | None = None) -> Handle[ClientT]:
    """Guard an Ollama client, and return what undoes it.

    Args:
        client: `Client` or `AsyncClient`.
        guard: Who judges requests and answers; blocked ones raise `Blocked`.
        delay: How much of a stream is held back.

    Raises:
        ImportError: `ollama` is not installed.
        InputError: The client is none of Ollama's.
        GuardrailError: Another guard is on it already.
    """
    return put_on(client, guard, _PLAN, delay)


class _Chat:
    """Reads chats."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        return listed(request.get("messages"))

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        return [as_answer(response["message"])]

    def chunk(self, chunk: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        message = chunk.get("message") or {}
        for key in ("content", "thinking"):
            if message.get(key):
                yield key, message[key]
        for call in message.get("tool_calls") or ():  # they come whole
            yield "call", value_text(call["function"]["arguments"])


class _Generation:
    """Reads completions of a prompt."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        if request.get("context"):
            raise InputError("a context of tokens cannot be read; use chat, with messages")
        for source, key in (("user", "prompt"), ("document", "suffix")):
            if request.get(key):
                yield source, request[key]

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        return [text for _, text in self.chunk(response)]

    def chunk(self, chunk: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        for key in ("response", "thinking"):
            if chunk.get(key):
                yield key, chunk[key]


_PLAN = Plan(
    package="ollama",
    extra="ollama",
    clients=("Client", "AsyncClient"),
    calls={"chat": _Chat, "generate": _Generation},
    allowed=(
        *("close", "embed", "embeddings", "web_search", "web_fetch"),
        *("list", "show", "ps", "pull", "push", "create", "create_blob", "copy", "delete"),
    ),
)
