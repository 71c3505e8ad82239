"""From arguments, files and streams to the texts to check."""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.cli import encodings
from tinyguardrail_sdk.errors import InputError

STDIN = "-"

_ENDINGS = tuple(".txt .md .json .jsonl .pdf .csv .html .py .log .eml".split())
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Item:
    """A text to check.

    Attributes:
        line: Line number, or number of the argument, from 1.
        text: The text.
        source: Its source where the line names one, else that of the command line.
        passed: What is handed through to the output: the caller's `id`, if there was one.
    """

    line: int
    text: str
    source: str
    passed: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BadItem:
    """A line that holds no text, with the remedy."""

    line: int
    error: str
    passed: dict[str, Any] = field(default_factory=dict)


def input_path(arguments: argparse.Namespace) -> str | None:
    """Return the file to read (`-` for standard input), or None where arguments are the text.

    Raises:
        InputError: There is no input, or more than one.
    """
    words, path = arguments.text, arguments.file
    if words and path is not None:
        raise InputError("give TEXT or --file, not both")
    if words == [STDIN]:
        return STDIN
    if words and arguments.jsonl:
        raise InputError("--jsonl takes no TEXT: give --file F, or - for standard input")
    if not words and path is None:
        if sys.stdin is None or sys.stdin.isatty():
            raise InputError("nothing to check: give TEXT, --file F, or - for standard input")
        return STDIN
    return str(path) if path is not None else None


def whole_text(path: str, named: str | None) -> str:
    """Read a file as one text, its line ends kept so that positions are those of the file.

    Args:
        path: The file, or `-`.
        named: The encoding on the command line, if there was one.

    Raises:
        InputError: It is empty or blank, cannot be read, looks binary, or is not in its encoding.
    """
    with _opened(path) as file:
        content = file.read()
    encoding = encodings.encoding_of(content[: encodings.BLOCK], named, _name(path))
    try:
        text = content.decode(encoding)
    except UnicodeError:
        raise InputError(f"{_name(path)}: {encodings.not_valid(encoding)}") from None
    if not text.strip():
        raise nothing_in(path)
    return text


def nothing_in(path: str) -> InputError:
    """The error for an input without a word: a pipe whose first part failed is no clearance."""
    return InputError(
        f'{_name(path)}: empty or blank, nothing was checked; pass TEXT "" to check no text'
    )


def lines(
    path: str, named: str | None, source: str, advance: Callable[[int, int], None]
) -> Iterator[Item | BadItem]:
    """Read a file line by line.

    Args:
        path: The file, or `-`.
        named: The encoding on the command line, if there was one.
        source: Where the texts come from.
        advance: Called after every line with the bytes read and their total, 0 if unknown.

    Raises:
        InputError: It is empty, cannot be read, looks binary, or is in an encoding whose line feed
            is not that of ASCII.
    """
    with _opened(path) as file:
        # Of a pipe this is what has come: nobody waits for more than its first line.
        encoding = encodings.encoding_of(file.peek(encodings.BLOCK), named, _name(path))
        if encodings.is_wide(encoding):
            raise InputError(
                f"{_name(path)}: {encoding} cannot be read line by line, only encodings based on "
                "ASCII; save it as UTF-8"
            )
        total = _size(file)
        done = 0
        for number, line in enumerate(file, start=1):
            try:
                # Further down, a byte order mark is text like any other.
                text = line.decode(encoding if done == 0 else encoding.removesuffix("-sig"))
                yield Item(number, text.removesuffix("\n").removesuffix("\r"), source)
            except UnicodeError:
                yield BadItem(number, encodings.not_valid(encoding))
            done += len(line)
            advance(done, total)
    if not done:
        raise nothing_in(path)


def not_blank(items: Iterable[Item | BadItem], path: str) -> Iterator[Item | BadItem]:
    """Hand on lines, those that are blank at the start once one is not: alone they clear nothing.

    Raises:
        InputError: All are blank.
    """
    begun = False
    waiting: list[Item | BadItem] = []
    for item in items:
        waiting.append(item)
        begun = begun or isinstance(item, BadItem) or bool(item.text.strip())
        if begun:
            yield from waiting
            waiting.clear()
    if not begun:
        raise nothing_in(path)


def parse_json_line(item: Item | BadItem) -> Item | BadItem:
    """Read a line of JSON-lines input; its source is that of the line where it names none."""
    if isinstance(item, BadItem):
        return item
    number, line = item.line, item.text
    if not line.strip():
        return BadItem(number, 'blank line, not valid JSON; write "" to check an empty text')
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return BadItem(number, 'not valid JSON; a line is a JSON string or an object with "text"')
    if isinstance(value, str):
        return Item(number, value, item.source)
    if not isinstance(value, dict):
        return BadItem(number, 'must be a JSON string or an object with "text"')
    passed = {"id": value["id"]} if "id" in value else {}
    if "text" not in value:
        return BadItem(number, 'the object has no "text"', passed)
    text, source = value["text"], value.get("source", item.source)
    if not isinstance(text, str) or not isinstance(source, str):
        return BadItem(number, '"text" and "source" must be strings', passed)
    return Item(number, text, source, passed)


@contextmanager
def _opened(path: str) -> Iterator[BufferedReader]:
    try:
        with open(0 if path == STDIN else path, "rb", closefd=path != STDIN) as file:
            yield file
    except OSError as error:
        if Path(path).is_dir():
            raise InputError(f"{path}: is a folder; give one file in it") from None
        raise InputError(f"{_name(path)}: cannot be read ({error.strerror})") from None


def _size(file: BufferedReader) -> int:
    status = os.fstat(file.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _name(path: str) -> str:
    return "standard input" if path == STDIN else path


def note_paths(texts: Iterable[str]) -> None:
    """Say on standard error that the name of a file or folder is judged, not what is in it."""
    if any(_is_path(text) or _looks_like_one(text) for text in texts):
        sys.stderr.write(
            "tinyguardrail: note: this is, or looks like, the name of a file or folder; the name "
            "itself is judged, --file F reads a file\n"
        )


def _is_path(text: str) -> bool:
    try:
        return text != "" and Path(text).exists()  # an empty path would be this folder
    except (OSError, ValueError):  # no name that a file can have
        return False


def _looks_like_one(text: str) -> bool:
    """Whether it is a single word such as a mistyped path, which no file has to bear."""
    if len(text) > _LONGEST_NAME or "://" in text or any(map(str.isspace, text)):
        return False
    return "/" in text or "\\" in text or text.lower().endswith(_ENDINGS)
