"""What a model makes a tool do, and what the tool answers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from tinyguardrail_sdk.adapters._streams import plain
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.labels import Source


class ToolReader:
    """Reads the arguments of a tool, and its result as agents show it to the model."""

    source = Source.TOOL

    def request(self, values: Iterable[Any]) -> Iterable[Any]:
        """Read the arguments, which a model wrote."""
        return [(Source.OUTPUT, value_text(plain(each))) for each in values]

    def response(self, result: Any) -> Iterable[Any]:
        """Read the result."""
        return [(self.source, str(result))]

    def chunk(self, chunk: Any) -> Iterable[tuple[Hashable, str]]:
        """Refuse: tools do not stream."""
        raise NotImplementedError("tools do not stream")


class AnswerReader(ToolReader):
    """Reads a tool whose result is the answer of the model."""

    source = Source.OUTPUT
