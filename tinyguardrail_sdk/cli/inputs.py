"""From arguments, files and streams to the texts to check."""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tinyguardrail_sdk.errors import InputError

STDIN = "-"


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


def whole_text(path: str, encoding: str) -> str:
    """Read a file as one text, its line ends kept so that positions are those of the file.

    Raises:
        InputError: It is empty or blank, cannot be read, or is not in that encoding.
    """
    with _opened(path) as file:
        content = file.read()
    try:
        text = content.decode(encoding)
    except UnicodeError:
        raise InputError(f"{_name(path)}: {_wrong_encoding(encoding)}") from None
    if not text.strip():
        raise nothing_in(path)
    return text


def nothing_in(path: str) -> InputError:
    """The error for an input without a word: a pipe whose first part failed is no clearance."""
    return InputError(
        f'{_name(path)}: empty or blank, nothing was checked; pass TEXT "" to check no text'
    )


def lines(path: str, encoding: str, advance: Callable[[int, int], None]) -> Iterator[str | None]:
    """Read a file line by line; None stands for a line that is not in that encoding.

    Args:
        path: The file, or `-`.
        encoding: A known one, in which a line feed is its ASCII byte.
        advance: Called after every line with the bytes read and their total, 0 if unknown.

    Raises:
        InputError: It is empty, cannot be read, or not line by line in that encoding.
    """
    _refuse_wide(encoding)
    with _opened(path) as file:
        total = _size(file)
        done = 0
        for line in file:
            try:
                # Further down, a byte order mark is text like any other.
                text = line.decode(encoding if done == 0 else encoding.removesuffix("-sig"))
                yield text.removesuffix("\n").removesuffix("\r")
            except UnicodeError:
                yield None
            done += len(line)
            advance(done, total)
    if not done:
        raise nothing_in(path)


def refuse_unknown_encoding(encoding: str) -> None:
    """Refuse the name of an encoding that does not exist, or is not one of text.

    Raises:
        InputError: It is such a name.
    """
    try:
        "\n".encode(encoding)
    except LookupError:
        raise InputError(
            f"--encoding: no text encoding is called {encoding}; there are utf-8, utf-16, latin-1, "
            "cp1252 and all others that Python knows"
        ) from None


def parse_json_line(number: int, line: str, default_source: str) -> Item | BadItem:
    """Read one line of JSON-lines input."""
    if not line.strip():
        return BadItem(number, 'blank line, not valid JSON; write "" to check an empty text')
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return BadItem(number, 'not valid JSON; a line is a JSON string or an object with "text"')
    if isinstance(value, str):
        return Item(number, value, default_source)
    if not isinstance(value, dict):
        return BadItem(number, 'must be a JSON string or an object with "text"')
    passed = {"id": value["id"]} if "id" in value else {}
    if "text" not in value:
        return BadItem(number, 'the object has no "text"', passed)
    text, source = value["text"], value.get("source", default_source)
    if not isinstance(text, str) or not isinstance(source, str):
        return BadItem(number, '"text" and "source" must be strings', passed)
    return Item(number, text, source, passed)


def bad_encoding(number: int, encoding: str) -> BadItem:
    """Return what stands for a line that cannot be decoded."""
    return BadItem(number, _wrong_encoding(encoding))


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    try:
        with open(0 if path == STDIN else path, "rb", closefd=path != STDIN) as file:
            yield file
    except OSError as error:
        if Path(path).is_dir():
            raise InputError(f"{path}: is a folder; give one file in it") from None
        raise InputError(f"{_name(path)}: cannot be read ({error.strerror})") from None


def _refuse_wide(encoding: str) -> None:
    if "\n".encode(encoding.removesuffix("-sig")) != b"\n":
        raise InputError(
            "--encoding: reading by lines needs one based on ASCII, such as utf-8 or latin-1; "
            "convert the file"
        )


def _size(file: IO[bytes]) -> int:
    status = os.fstat(file.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _name(path: str) -> str:
    return "standard input" if path == STDIN else path


def _wrong_encoding(encoding: str) -> str:
    return f"not valid {encoding.removesuffix('-sig')}; say --encoding, such as --encoding latin-1"


def warn_of_file_name(text: str) -> None:
    """Say on standard error that the name of a file is checked, and not what is in it."""
    try:
        named = Path(text).is_file()
    except (OSError, ValueError):  # no name that a file can have
        named = False
    if named:
        sys.stderr.write(
            "tinyguardrail: this checks the file's name; to check what is in it, use --file\n"
        )
