"""OpenAI and Azure OpenAI, synchronous and asynchronous.

pip install "tinyguardrail-sdk[openai]"

    with wrap(OpenAI(), guard) as client:
        client.chat.completions.create(model=..., messages=[...])

Guarded are `create`, `parse`, `stream` and `retrieve` of chat completions and of responses, their
raw and streaming responses, and the clients that `copy` and `with_options` return. Legacy
completions, lists of stored ones and of what went into them, `decisions`, `evals`, `beta`,
`realtime`, `live`, `conversations` and `batches` are refused. All else (images, speech and its
transcription, embeddings, vector stores and what a search in them finds, files, containers, ...),
what was taken from the client before it was wrapped, and `client.post` are as they were. A
stream's `.response` is judged as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tinyguardrail_sdk.adapters._bodies import raw_responses
from tinyguardrail_sdk.adapters._engine import Plan, put_on
from tinyguardrail_sdk.adapters._handle import Handle
from tinyguardrail_sdk.adapters._openai_readers import ChatReader, ResponsesReader
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.holdback import Delay

if TYPE_CHECKING:
    import openai

ClientT = TypeVar("ClientT", bound="openai.OpenAI | openai.AsyncOpenAI")


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


_PLAN = Plan(
    package="openai",
    extra="openai",
    clients=("OpenAI", "AsyncOpenAI"),
    calls={
        "chat.completions.create": ChatReader,
        "chat.completions.parse": ChatReader,
        "chat.completions.retrieve": ChatReader,
        "chat.completions.update": ChatReader,
        "responses.create": ResponsesReader,
        "responses.parse": ResponsesReader,
        "responses.retrieve": ResponsesReader,
        "responses.cancel": ResponsesReader,
    },
    managers={"chat.completions.stream": ChatReader, "responses.stream": ResponsesReader},
    copies=("copy", "with_options"),
    remade=raw_responses("", "chat.", "chat.completions.", "responses."),
    refused=(
        "chat.completions.list",
        "chat.completions.messages",
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
