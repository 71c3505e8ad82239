"""Readers of what goes to an LLM of CrewAI, and comes back."""

from __future__ import annotations

import functools
import importlib.resources
import json
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._streams import plain
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.files import expect_text, file_text, is_media
from tinyguardrail_sdk.labels import Source

# Where a tool call of an answer has its arguments, by provider.
_ARGUMENTS = ("arguments", "args", "input")
# Kinds of files that are here already; what an address leads to, nobody knows before it is sent.
_HERE = ("FilePath", "FileBytes", "FileStream")
# What CrewAI writes around a task, with places for the task in braces. Its fixed sentences alone
# are not judged, all else in a message is.
_PROMPTS = "translations/en.json"
_PLACE_OR_END = re.compile(r"\{\w*\}|\n")
# Shorter pieces ("Thought:") flag nothing, and may be the words of others.
_SENTENCE_CHARACTERS = 20


class Reader:
    """Reads messages, and answers: texts, tool calls of any provider, and models."""

    def request(self, given: Mapping[str, Any]) -> Iterable[Any]:
        """Read the messages, and the files that they have beside their content."""
        asked = given["messages"]
        for each in [asked] if isinstance(asked, str) else asked:
            message = dict(each) if isinstance(each, Mapping) else each
            files = message.pop("files", None) if isinstance(message, dict) else None
            for name, file in (files or {}).items():
                yield Source.DOCUMENT, list(_file_texts(name, file))
            yield _left(plain(message))

    def response(self, answer: Any) -> Iterator[Any]:
        """Read an answer."""
        said = plain(answer)
        for each in said if isinstance(said, list) else [said]:
            yield Source.OUTPUT, value_text(_said(each))

    def chunk(self, chunk: Any) -> Iterable[tuple[Hashable, str]]:
        """Read nothing: no LLM that streams gets this far."""
        raise NotImplementedError


@functools.cache
def _scaffold() -> re.Pattern[str]:
    """The sentences of CrewAI's own prompts; of a version that keeps them elsewhere, none."""
    try:
        text = importlib.resources.files("crewai").joinpath(_PROMPTS).read_text("utf-8")
        prompts = json.loads(text)["slices"].values()
    except (OSError, ValueError, KeyError, ModuleNotFoundError):
        return re.compile("(?!)")  # then they are judged with the rest
    pieces = {piece.strip() for prompt in prompts for piece in _PLACE_OR_END.split(prompt)}
    sentences = sorted((p for p in pieces if len(p) >= _SENTENCE_CHARACTERS), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, sentences)) or "(?!)")


def _left(value: Any) -> Any:
    """A message, or a part of one, without CrewAI's own sentences.

    "Your job depends on it!" reads like an attack. What stood around a sentence stays apart.
    """
    if isinstance(value, str):
        return _scaffold().sub("\n", value)
    if isinstance(value, Mapping):
        return {key: _left(inner) for key, inner in value.items()}
    return [_left(inner) for inner in value] if isinstance(value, list) else value


def _file_texts(name: str, file: Any) -> Iterator[str]:
    """The names of a file and its text; of a picture, a sound or a film, nothing."""
    if type(getattr(file, "source", None)).__name__ not in _HERE:
        raise InputError("a file that is not here cannot be read; send its bytes, or a path")
    kind = file.content_type
    if is_media({"media_type": kind}):
        return
    names = [each for each in (file.filename, name) if each is not None]
    expect_text([kind], names[0], _size_on_disk(file.source))
    yield from names
    yield file_text(file.read(), kind, names[0])


def _size_on_disk(source: Any) -> int:
    """How many bytes a file at a path has; 0 of what is in memory, or no longer there."""
    path = getattr(source, "path", None)
    return path.stat().st_size if path is not None and path.is_file() else 0


def _said(value: Any) -> Any:
    """The arguments of a tool call; anything else as it is."""
    inner = value.get("function", value) if isinstance(value, Mapping) else value
    if isinstance(inner, Mapping):
        found = [inner[name] for name in _ARGUMENTS if inner.get(name) is not None]
        if len(found) == 1 and "name" in inner:
            return found[0]
    return value
