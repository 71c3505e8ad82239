"""Mistral, whose one client has synchronous and asynchronous methods.

pip install "tinyguardrail-sdk[mistral]"

    with wrap(Mistral(), guard) as client:
        client.chat.complete(model=..., messages=[...])

Guarded are `complete`, `stream`, `parse` and `parse_stream` of `chat`, and `complete` and `stream`
of `fim` and `agents`, each also as `..._async`. `beta` (conversations, with what runs them),
`responses`, `realtime`, `batch`, `workflows`, `events`, and what a later version adds, are refused;
so are documents, files and resources by address, which cannot be read here. Models, files,
embeddings, classifiers and recognition of pages or speech are as they were.
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
from tinyguardrail_sdk.messages import message_texts

if TYPE_CHECKING:
    import mistralai.client

ClientT = TypeVar("ClientT", bound="mistralai.client.Mistral")


def wrap(client: ClientT, guard: Checker, *, delay: Delay | None = None) -> Handle[ClientT]:
    """Guard a Mistral client, and return what undoes it.

    Args:
        client: `Mistral` of version 2 or later.
        guard: Who judges requests and answers; blocked ones raise `Blocked`.
        delay: How much of a stream is held back.

    Raises:
        ImportError: `mistralai` is not installed.
        InputError: The client is none of Mistral's own platform.
        GuardrailError: Another guard is on it already.
    """
    return put_on(client, guard, _PLAN, delay)


class _Completion:
    """Reads chat, agent and fill-in-the-middle completions."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        yield from listed(request.get("messages"))
        if request.get("prediction"):  # a file to be rewritten
            yield "document", request["prediction"].get("content")
        if request.get("prompt"):
            yield "user", request["prompt"]
        if request.get("suffix"):
            yield "document", request["suffix"]

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        for choice in response.get("choices") or ():
            said = [*listed(choice.get("message")), *listed(choice.get("messages"))]
            yield from map(as_answer, said)

    def chunk(self, event: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        for choice in event["data"].get("choices") or ():
            index, delta = choice.get("index"), choice["delta"]
            content = delta.get("content") or ()
            for part in [content] if isinstance(content, str) else content:
                kind = "text" if isinstance(part, str) else part.get("type")
                for each in message_texts([{"role": "assistant", "content": [part]}]):
                    yield (index, kind), each.text
            for call in delta.get("tool_calls") or ():
                yield (index, "call", call.get("index")), value_text(call["function"]["arguments"])


_COMPLETIONS = (
    "chat.complete",
    "chat.stream",
    "chat.parse",
    "chat.parse_stream",
    "fim.complete",
    "fim.stream",
    "agents.complete",
    "agents.stream",
)
_PLAN = Plan(
    package="mistralai.client",
    extra="mistral",
    clients=("Mistral",),
    calls={f"{path}{form}": _Completion for path in _COMPLETIONS for form in ("", "_async")},
    allowed=(
        *(f"{each}parent_ref" for each in ("", "chat.", "fim.", "agents.", "audio.")),
        *(f"{each}sdk_configuration" for each in ("", "chat.", "fim.", "agents.", "audio.")),
        "dynamic_import",
        "models",
        "files",
        "embeddings",
        "classifiers",
        "ocr",
        "audio.speech",
        "audio.transcriptions",
        "audio.voices",
    ),
)
