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

from typing import TYPE_CHECKING, TypeVar

from tinyguardrail_sdk.adapters._anthropic_readers import MessagesReader
from tinyguardrail_sdk.adapters._bodies import raw_responses
from tinyguardrail_sdk.adapters._engine import Plan, put_on
from tinyguardrail_sdk.adapters._handle import Handle
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.holdback import Delay

if TYPE_CHECKING:
    import anthropic

ClientT = TypeVar("ClientT", bound="anthropic.Anthropic | anthropic.AsyncAnthropic")

_CLOUDS = ("", "AWS", "Bedrock", "BedrockMantle", "Foundry", "GoogleCloud", "Vertex")


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
