"""Readers of what goes to a model of smolagents, and comes back."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.labels import Source

_ROLES = {"tool-call": "assistant", "tool-response": "tool"}


class Reader:
    """Reads messages, answers and deltas of models."""

    def request(self, messages: Any) -> Iterable[Any]:
        """Read the messages."""
        return [each for message in messages for each in _parts(message)]

    def response(self, message: Any) -> Iterable[Any]:
        """Read an answer."""
        return _parts(message)

    def chunk(self, delta: Any) -> Iterator[tuple[Hashable, str]]:
        """Read a delta of a stream."""
        if delta.content:
            yield "text", delta.content
        for call in delta.tool_calls or ():
            if call.function is not None and call.function.arguments:
                yield ("call", call.index), value_text(call.function.arguments)


def _parts(message: Any) -> Iterator[Any]:
    fields = message if isinstance(message, Mapping) else vars(message)
    role = str(getattr(fields["role"], "value", fields["role"]))
    yield {"role": _ROLES.get(role, role), "content": fields.get("content")}
    for call in fields.get("tool_calls") or ():
        function = call["function"] if isinstance(call, Mapping) else vars(call.function)
        yield Source.OUTPUT, value_text(function["arguments"])
