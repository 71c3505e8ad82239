"""Ollama, synchronous and asynchronous.

pip install "tinyguardrail-sdk[ollama]"

    with wrap(Client(), guard) as client:
        client.chat(model=..., messages=[...])

Guarded are `chat` and `generate`. `systemone`, what a later version adds, and `generate` with a
`context`, which is of tokens, are refused. Embeddings, the search and what manages models are as
they were; what a search found is judged when it goes to the model.

The functions of the module itself use a client of their own: `wrap(ollama, guard)` guards them, for
all who call `ollama.chat` in this process. Who did `from ollama import chat` before is not guarded.
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from tinyguardrail_sdk.adapters._engine import Plan, put_on
from tinyguardrail_sdk.adapters._handle import MARK, Handle, handle_on
from tinyguardrail_sdk.adapters._streams import as_answer, listed
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay

if TYPE_CHECKING:
    import ollama

ClientT = TypeVar("ClientT", bound="ollama.Client | ollama.AsyncClient | ModuleType")


def wrap(client: ClientT, guard: Checker, *, delay: Delay | None = None) -> Handle[ClientT]:
    """Guard an Ollama client, or the functions of the module; return what undoes it.

    Args:
        client: `Client` or `AsyncClient`, or the module `ollama`.
        guard: Who judges requests and answers; blocked ones raise `Blocked`.
        delay: How much of a stream is held back.

    Raises:
        ImportError: `ollama` is not installed.
        InputError: The client is none of Ollama's.
        GuardrailError: Another guard is on it already.
    """
    if isinstance(client, ModuleType):
        return _put_on_module(client, guard, delay)
    return put_on(client, guard, _PLAN, delay)


def _put_on_module(module: Any, guard: Checker, delay: Delay | None) -> Handle[Any]:
    """Replace the functions of a module, which are methods of a client, by those of a copy."""
    if (known := handle_on(module, guard, delay)) is not None:
        return known
    own = getattr(getattr(module, "chat", None), "__self__", None)
    if own is None:
        raise InputError(f"{module.__name__} has no functions that are known; pass ollama itself")
    guarded = put_on(copy.copy(own), guard, _PLAN, delay).client
    handle = Handle(module, guard, delay)
    handle.put(module, MARK, handle)
    for name, function in list(vars(module).items()):
        if getattr(function, "__self__", None) is own:
            handle.put(module, name, getattr(guarded, name))
    return handle


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
