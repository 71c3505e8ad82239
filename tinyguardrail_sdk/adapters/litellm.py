"""LiteLLM: its functions, and routers.

pip install "tinyguardrail-sdk[litellm]"

    wrap(litellm, guard)  # the module: its `completion`, for all who call it by that name
    wrap(Router(model_list=[...]), guard)

Guarded are `completion`, `responses`, `get_responses` and `..._with_retries`, each also as `a...`,
and of a router also `schedule_acompletion`. What one of them calls of LiteLLM itself (a router the
module, fallbacks, the bridges between `completion` and `responses`) is judged once. Text
completions, batches, the functions in the manner of Anthropic or Gemini, adapters, assistants,
agents, interactions, evals, realtime and passed-through requests are refused; so are tools that
LiteLLM itself runs. All else, of later versions too, is as it was: embeddings, files, pictures,
speech, submodules, names that were imported before. Loggers see answers before they are judged.
For the proxy there is `tinyguardrail_sdk.adapters.litellm_proxy`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from tinyguardrail_sdk.adapters import _openai_readers as openai
from tinyguardrail_sdk.adapters._engine import Plan, put_on
from tinyguardrail_sdk.adapters._handle import Handle
from tinyguardrail_sdk.adapters._streams import listed
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay

ClientT = TypeVar("ClientT")


def wrap(client: ClientT, guard: Checker, *, delay: Delay | None = None) -> Handle[ClientT]:
    """Guard the module of LiteLLM or a router, and return what undoes it.

    Args:
        client: `litellm` itself, or a `Router`.
        guard: Who judges requests and answers; blocked ones raise `Blocked`.
        delay: How much of a stream is held back.

    Raises:
        ImportError: `litellm` is not installed.
        InputError: It is neither.
        GuardrailError: Another guard is on it already.
    """
    return put_on(client, guard, _PLAN, delay)


class ChatReader(openai.ChatReader):
    """Reads chat completions, with what LiteLLM takes besides."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        """Read the arguments of a call, or the body of a request."""
        yield from super().request(request)
        yield from _besides(request)


class ResponsesReader(openai.ResponsesReader):
    """Reads the Responses API, with what LiteLLM takes besides."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        """Read the arguments of a call, or the body of a request."""
        yield from super().request(request)
        yield from _besides(request)

    def chunk(self, event: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        """Read an event, whose type may be an enumeration's."""
        kind = event.get("type")
        return super().chunk({**event, "type": getattr(kind, "value", kind)})


def _besides(request: Mapping[str, Any]) -> Iterator[Any]:
    if request.get("prompt_variables"):
        yield "user", value_text(request["prompt_variables"])
    for fallback in request.get("fallbacks") or ():  # a mapping replaces arguments
        if isinstance(fallback, Mapping):
            yield from listed(fallback.get("messages"))
            yield from listed(fallback.get("input"))
    for tool in request.get("tools") or ():
        own = isinstance(tool, Mapping) and tool.get("type") == "mcp"
        if own and not str(tool.get("server_url")).startswith("http"):
            raise InputError(
                "LiteLLM would run this tool and send its result by itself, past the guard; run it "
                "yourself, and send its result as a message"
            )


_CALLS = ("completion", "completion_with_retries")
_RESPONSES = ("responses", "responses_with_retries", "get_responses")
_BOTH_FORMS = (
    *("text_completion", "generate_content", "generate_content_stream"),
    *("anthropic_messages", "adapter_completion", "adapter_generate_content", "decisions"),
    *("systemone", "run_thread", "run_thread_stream", "create_batch", "create_eval", "create_run"),
    *("create_agent", "create_interaction", "compact_responses", "cancel_responses"),
    *("list_input_items", "llm_passthrough_route", "get_messages"),
)
_PLAN = Plan(
    package="litellm",
    extra="litellm",
    clients=("Router",),
    calls={
        **{f"{form}{name}": ChatReader for name in _CALLS for form in ("", "a")},
        **{f"{form}{name}": ResponsesReader for name in _RESPONSES for form in ("", "a")},
        "schedule_acompletion": ChatReader,
    },
    refused=(
        *(f"{form}{name}" for name in _BOTH_FORMS for form in ("", "a")),
        *("add_message", "a_add_message", "_arealtime", "_aresponses_websocket"),
        *("anthropic_messages_handler", "config_completion", "batch_completion"),
        *("batch_completion_models", "batch_completion_models_all_responses"),
        *("abatch_completion", "abatch_completion_one_model_multiple_requests"),
        "abatch_completion_fastest_response",
    ),
    live=True,
    # Routers of 1.110 say `*args`, which those of 1.108 did not.
    placed={
        **{f"{form}completion": ("model", "messages") for form in ("", "a")},
        "aresponses": ("input", "model"),
    },
)
