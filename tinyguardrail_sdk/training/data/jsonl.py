"""JSON lines of labelled texts, every line as a checked row; and JSON reports on them."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.data.publish import refuse_half_written

_ENDINGS = (".jsonl", ".jsonl.gz")
ROW_FORM = (
    "a row is a line with a JSON object that has the strings `text` and `label`, "
    'such as {"text": "...", "label": "benign"}'
)
_TELL = 500  # lines from one sign of progress to the next


def data_files(paths: Sequence[Path]) -> Iterator[Path]:
    """Files to read, in order; a folder stands for the `.jsonl` and `.jsonl.gz` files in it.

    Raises:
        FileNotFoundError: A folder holds none.
        InputError: Files of two sets stand in a folder, since writing was interrupted.
    """
    for path in paths:
        refuse_half_written(path if path.is_dir() else path.parent)
        if not path.is_dir():
            yield path
            continue
        found = sorted(p for p in path.iterdir() if p.name.endswith(_ENDINGS))
        if not found:
            raise FileNotFoundError(f"no .jsonl or .jsonl.gz file in {path}")
        yield from found


def stem_of(path: Path) -> str:
    """Name of a JSON-lines file without its endings."""
    return path.name.removesuffix(".gz").removesuffix(".jsonl")


def open_text(path: Path, mode: str = "rt") -> IO[str]:
    """Open a text file, packed when its name ends in `.gz`.

    Equal texts make equal files: a packed one does not say when it was written.
    """
    if path.suffix == ".gz":
        packed = _packed(path, mode.replace("t", "b"))
        return io.TextIOWrapper(cast("IO[bytes]", packed), encoding="utf-8")
    return path.open(mode, encoding="utf-8")


@contextmanager
def whole_text(path: Path) -> Iterator[IO[str]]:
    """Write a text file as `open_text` does; it appears under its name when it is whole.

    Where there was another one, that stays until then, and stays for good if writing ends early.
    """
    if path.exists() and not path.is_file():  # a pipe or device, which must not be replaced
        with open_text(path, "wt") as out:
            yield out
        return
    path = path.resolve()  # what a link points to is written, not the link
    unfinished = path.with_name(f".{path.name}.partial")
    try:
        with unfinished.open("wb") as file:
            stream = _packed(path, "wb", file) if path.suffix == ".gz" else file
            with io.TextIOWrapper(cast("IO[bytes]", stream), encoding="utf-8") as out:
                yield out
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write a value of JSON types for people to read; whole, or not at all (see `whole_text`)."""
    with whole_text(path) as out:
        json.dump(value, out, indent=2)
        out.write("\n")


def read_lines(
    path: Path, unstated: str | None = None, advance: Callable[[int], None] = lambda place: None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the row of every line that is not blank.

    Args:
        path: The file; unpacked when its name ends in `.gz`.
        unstated: Label of the rows that state none; None demands one of every row.
        advance: Told now and then how many bytes of the file are read.

    Raises:
        InputError: A line is not a JSON object with the strings `text` and `label`, or the file
            is damaged, or one of a set that is not wholly written; the message names file,
            line and fix.
        FileNotFoundError: There is no such file.
    """
    refuse_half_written(path.parent)
    number = 0
    try:
        with open_text(path) as lines:
            for number, line in enumerate(lines, 1):
                if not number % _TELL:
                    advance(_place(lines))
                if line.strip():
                    yield number, _row(line, unstated, f"{path}, line {number}")
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{path}, after line {number}: not UTF-8 text, or damaged "
            f"({type(error).__name__}); write the file again"
        ) from None


def _place(lines: IO[str]) -> int:
    stream = cast("io.TextIOWrapper", lines).buffer
    file = stream.fileobj if isinstance(stream, gzip.GzipFile) else stream
    return cast("IO[bytes]", file).tell()


def _packed(path: Path, mode: str, file: IO[bytes] | None = None) -> gzip.GzipFile:
    return gzip.GzipFile(path, mode, fileobj=file, mtime=0)


def _row(line: str, unstated: str | None, where: str) -> dict[str, Any]:
    try:
        row: dict[str, Any] = json.loads(line)
        if unstated is not None:
            row.setdefault("label", unstated)
        complete = isinstance(row["text"], str) and isinstance(row["label"], str)
    except (ValueError, KeyError, TypeError, AttributeError):
        complete = False
    if not complete:
        raise InputError(f"{where}: {ROW_FORM}")
    return row
