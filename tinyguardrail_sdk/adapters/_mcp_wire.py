"""What goes over the wire of the Model Context Protocol, whatever version of its SDK made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CALL = "tools/call"


def told_instead(text: str) -> dict[str, Any]:
    """Return a tool result that is an error, for the model to read in place of a blocked one."""
    return {"content": [{"type": "text", "text": text}], "isError": True}


def on_the_wire(value: Any) -> Any:
    """Return a model of any version of the SDK as what goes over the wire."""
    if isinstance(value, Mapping):
        return value
    return value.model_dump(by_alias=True, mode="json", exclude_none=True)
