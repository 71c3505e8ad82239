"""Guards for the clients of LLM vendors, each put on the one client that is given.

    from tinyguardrail_sdk.adapters import wrap

    handle = wrap(client, guard)  # now every call of `client` is judged
    handle.undo()

An adapter is importable without its client. Any other client can be guarded with
`tinyguardrail_sdk.calls`: say in three functions where its text is.
"""

from __future__ import annotations

import importlib
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


def wrap(client: ClientT, guard: Checker, *, delay: Delay | None = None) -> Handle[ClientT]:
    """Guard a client with the adapter for its type; a subclass's is that of its base.

    The client may be a module, where the adapter says so.

    Raises:
        InputError: There is no adapter for it.
        GuardrailError: Another guard is on it already.
    """
    bases = [base.__module__ for base in type(client).__mro__]
    modules = [client.__name__] if isinstance(client, ModuleType) else bases
    for module in modules:
        for package, name in _ADAPTERS.items():
            if f"{module}.".startswith(f"{package}."):
                adapter = importlib.import_module(f"tinyguardrail_sdk.adapters.{name}")
                handle: Handle[ClientT] = adapter.wrap(client, guard, delay=delay)
                return handle
    raise InputError(
        f"no adapter for {type(client).__name__}; there are some for "
        f"{', '.join(_ADAPTERS.values())}, and tinyguardrail_sdk.calls guards any client"
    )
