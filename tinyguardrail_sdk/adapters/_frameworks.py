"""What the adapters for frameworks share: imports on demand, and verdicts that raise."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from tinyguardrail_sdk.checker import Checker, first_stop
from tinyguardrail_sdk.errors import Blocked


def require(module: str, extra: str) -> Any:
    """Import a framework.

    Raises:
        ImportError: It is not installed; the message has the line that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"the adapter needs the framework: pip install 'tinyguardrail-sdk[{extra}]'"
        ) from error


def refuse(guard: Checker, messages: Iterable[Any]) -> None:
    """Judge messages as `Guard.check_messages` does.

    Raises:
        Blocked: One of them must not go on.
        InputError: As `Guard.check_messages`.
    """
    stop = first_stop(guard.check_messages(messages))
    if stop is not None:
        raise Blocked(stop)


async def arefuse(guard: Checker, messages: Iterable[Any]) -> None:
    """Like `refuse`, off the event loop."""
    stop = first_stop(await guard.acheck_messages(messages))
    if stop is not None:
        raise Blocked(stop)
