"""Readers of what goes to an LLM of CrewAI, and comes back."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._streams import plain
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Source

# Where a tool call of an answer has its arguments, by provider.
_ARGUMENTS = ("arguments", "args", "input")
_NO_TEXT = ("image/", "audio/", "video/")


class Reader:
    """Reads messages, and answers: texts, tool calls of any provider, and models."""

    def request(self, given: Mapping[str, Any]) -> Iterable[Any]:
        """Read the messages."""
        asked = given["messages"]
        for each in [asked] if isinstance(asked, str) else asked:
            if isinstance(each, Mapping):
                _refuse_files(each.get("files") or {})
            yield plain(each)

    def response(self, answer: Any) -> Iterator[Any]:
        """Read an answer."""
        said = plain(answer)
        for each in said if isinstance(said, list) else [said]:
            yield Source.OUTPUT, value_text(_said(each))

    def chunk(self, chunk: Any) -> Iterable[tuple[Hashable, str]]:
        """Read nothing: no LLM that streams gets this far."""
        raise NotImplementedError


def _refuse_files(files: Mapping[str, Any]) -> None:
    for file in files.values():
        if not str(getattr(file, "content_type", "")).startswith(_NO_TEXT):
            raise InputError("a file cannot be read here; check its text by itself, and send that")


def _said(value: Any) -> Any:
    """The arguments of a tool call; anything else as it is."""
    inner = value.get("function", value) if isinstance(value, Mapping) else value
    if isinstance(inner, Mapping):
        found = [inner[name] for name in _ARGUMENTS if inner.get(name) is not None]
        if len(found) == 1 and "name" in inner:
            return found[0]
    return value
