"""Anthropic, synchronous and asynchronous, also on Bedrock, Vertex and Foundry.

pip install "tinyguardrail-sdk[anthropic]"

    with wrap(Anthropic(), guard) as client:
        client.messages.create(model=..., max_tokens=..., messages=[...])

Guarded are `create`, `parse` and `stream` of `messages` and `beta.messages`, their raw and their
streaming responses, every turn of `beta.messages.tool_runner` and `beta.messages.thread`, and the
clients that `copy`, `with_options` and `with_middleware` return. Batches, legacy completions, and
agents with what runs them are refused.
What was taken from the client before it was wrapped, and `client.post`, are as they were. A
stream's `.response` is judged as well, but on Bedrock: there it is the wire.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from tinyguardrail_sdk.adapters._bodies import raw_responses
from tinyguardrail_sdk.adapters._engine import Plan, put_on
from tinyguardrail_sdk.adapters._handle import Handle
from tinyguardrail_sdk.adapters._leaves import further
from tinyguardrail_sdk.adapters._streams import listed
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.messages import message_texts

if TYPE_CHECKING:
    import anthropic

ClientT = TypeVar("ClientT", bound="anthropic.Anthropic | anthropic.AsyncAnthropic")

_CLOUDS = ("", "AWS", "Bedrock", "BedrockMantle", "Foundry", "GoogleCloud", "Vertex")
# Of a delta: the key of its text. None: not words of the model, or words that were read before.
_DELTAS = {
    "text_delta": "text",
    "input_json_delta": "partial_json",
    "thinking_delta": "thinking",
    "signature_delta": None,
    "citations_delta": None,
}
# Blocks that begin empty and grow; the others come whole.
_GROWING = {
    "text": "text",
    "thinking": "thinking",
    "tool_use": "input",
    "server_tool_use": "input",
    "mcp_tool_use": "input",
}


def wrap(client: ClientT, guard: Checker, *, delay: Delay | None = None) -> Handle[ClientT]:
    """Guard an Anthropic client, and return what undoes it.

    Args:
        client: `Anthropic`, `AsyncAnthropic`, or one of a cloud's.
        guard: Who judges requests and answers; blocked ones raise `Blocked`.
        delay: How much of a stream is held back.

    Raises:
        ImportError: `anthropic` is not installed.
        InputError: The client is none of Anthropic's.
        GuardrailError: Another guard is on it already.
    """
    return put_on(client, guard, _PLAN, delay)


class MessagesReader:
    """Reads messages and their streams."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        """Read the messages."""
        return listed(request.get("messages"))

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        """Read the content."""
        return [{"role": "assistant", "content": response["content"]}]

    def chunk(self, event: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        """Read an event of a stream; of one that is not known, every text."""
        kind = event.get("type")
        if kind == "content_block_delta":
            key = _key_of(event["delta"].get("type"))
            if key is not None:
                yield event["index"], event["delta"][key]
        elif kind == "content_block_start":
            block = event["content_block"]
            grows = _GROWING.get(block.get("type"))
            if grows is None or block.get(grows):
                yield from _whole(event["index"], [block])
        elif kind == "message_start":
            yield from _whole("start", event["message"]["content"])
        elif kind != "message_delta":  # that one says why and where the message stopped
            for place, text in further(event, ()):
                yield (kind, place), text


def _key_of(kind: Any) -> str | None:
    if kind not in _DELTAS:
        raise InputError(
            f"unknown type of delta; known are {', '.join(_DELTAS)}. Ask without a stream"
        )
    return _DELTAS[kind]


def _whole(key: Hashable, content: list[Any]) -> Iterator[tuple[Hashable, str]]:
    for each in message_texts([{"role": "assistant", "content": content}]):
        yield key, each.text


_PLAN = Plan(
    package="anthropic",
    extra="anthropic",
    # They have no public base in common.
    clients=tuple(f"{form}Anthropic{cloud}" for form in ("", "Async") for cloud in _CLOUDS),
    calls={
        "messages.create": MessagesReader,
        "messages.parse": MessagesReader,
        "beta.messages.create": MessagesReader,
        "beta.messages.parse": MessagesReader,
    },
    managers={"messages.stream": MessagesReader, "beta.messages.stream": MessagesReader},
    copies=("copy", "with_options", "with_middleware"),
    runners=("beta.messages.tool_runner", "beta.messages.thread"),
    remade=raw_responses("", "messages.", "beta.", "beta.messages."),
    refused=(
        "messages.batches",
        "beta.messages.batches",
        *(f"beta.{name}" for name in ("agents", "sessions", "dreams")),
        *(f"beta.{name}" for name in ("deployments", "deployment_runs")),
        "completions",
    ),
)
