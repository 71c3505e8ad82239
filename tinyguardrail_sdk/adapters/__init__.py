"""Guards for the clients of LLM vendors, each put on the one client that is given.

    from tinyguardrail_sdk.adapters import wrap

    handle = wrap(client, guard)  # now every call of `client` is judged
    handle.undo()

An adapter is importable without its client. Any other client can be guarded with
`tinyguardrail_sdk.calls`: say in three functions where its text is.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import TypeVar

from tinyguardrail_sdk.adapters._handle import Handle
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay

__all__ = ["Handle", "wrap"]

ClientT = TypeVar("ClientT")

# The package whose clients they are -> the adapter.
_ADAPTERS = {
    "anthropic": "anthropic",
    "botocore": "bedrock",
    "cohere": "cohere",
    "google.genai": "google_genai",
    "litellm": "litellm",
    "mistralai": "mistral",
    "ollama": "ollama",
    "openai": "openai",
}
# Classes of frameworks that are guarded in place -> the adapter.
_IN_PLACE = {
    ("mcp", "Client"): "mcp",
    ("mcp", "ClientSession"): "mcp",
    ("smolagents", "MultiStepAgent"): "smolagents",
}
# The package whose objects are guarded in another way -> the functions that do it.
_OTHERWISE = {
    "agents": "openai_agents.guard_agent, guard_model or guard_provider",
    "crewai": "crewai.guard_llm, guard_tool or task_guardrail",
    "fastapi": "asgi.GuardMiddleware or body_guard",
    "haystack": "haystack.guard_generator, document_guard or text_guard",
    "langchain": "langchain.guard_model, middleware or runnable",
    "langchain_core": "langchain.guard_model, middleware or runnable",
    "langgraph": "langchain.middleware or guard_model",
    "llama_index": "llama_index.guard_llm, guard_engine or postprocessor",
    "mcp": "mcp.middleware",
    "pydantic_ai": "pydantic_ai.guard_model or capability",
    "smolagents": "smolagents.guard_model or guard_tool",
    "starlette": "asgi.GuardMiddleware",
    "transformers": "transformers.guard_pipeline",
}


def wrap(client: ClientT, guard: Checker, *, delay: Delay | None = None) -> Handle[ClientT]:
    """Guard a client with the adapter for its type; a subclass's is that of its base.

    The client may be a module, where the adapter says so, an agent of smolagents, or a connected
    `Client` or `ClientSession` of MCP, which takes no delay.

    Raises:
        InputError: There is no adapter for it, or that guards it in another way; the message says
            by which function.
        GuardrailError: Another guard is on it already.
    """
    bases = [(base.__module__, base.__name__) for base in type(client).__mro__]
    kinds = [(client.__name__, "")] if isinstance(client, ModuleType) else bases
    options = {} if delay is None else {"delay": delay}
    if (name := _adapter_of(kinds)) is not None:
        if name == "mcp" and options:
            raise InputError("a client of MCP has no streams of text: leave delay out")
        adapter = importlib.import_module(f"tinyguardrail_sdk.adapters.{name}")
        handle: Handle[ClientT] = adapter.wrap(client, guard, **options)
        return handle
    for module, _ in kinds:
        if (functions := _OTHERWISE.get(module.partition(".")[0])) is not None:
            raise InputError(
                f"{type(client).__name__} is not guarded in place: use "
                f"tinyguardrail_sdk.adapters.{functions}"
            )
    raise InputError(
        f"no adapter for {type(client).__name__}; there are some for "
        f"{', '.join(_ADAPTERS.values())}, and tinyguardrail_sdk.calls guards any client"
    )


def _adapter_of(kinds: Sequence[tuple[str, str]]) -> str | None:
    """Return the adapter that guards a class in place, given its bases by module and name."""
    for module, kind in kinds:
        if (name := _IN_PLACE.get((module.partition(".")[0], kind))) is not None:
            return name
        for package, name in _ADAPTERS.items():
            if f"{module}.".startswith(f"{package}."):
                return name
    return None
