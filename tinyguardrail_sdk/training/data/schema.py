"""One training row, and how it is kept on disk."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Label, Source

_SUFFIXES = (".jsonl", ".jsonl.gz")


@dataclass(frozen=True, slots=True)
class Example:
    """A text with its class and the facts that splits, filters and error tables need.

    Attributes:
        text: What the guard sees, disguises included.
        label: Its class.
        source: Where the text is supposed to come from.
        technique: What kind of attack or benign text it is, for tables.
        language: ISO 639-1 code.
        family: The split key: generator frame family or upstream. Train and test share none.
        terms: Licence group of the row; "own" when this package wrote it.
        span: Characters (start, end) of `text` in which the attack stands, where known.
    """

    text: str
    label: Label
    source: Source = Source.USER
    technique: str = ""
    language: str = "en"
    family: str = ""
    terms: str = "own"
    span: tuple[int, int] | None = None

    def to_dict(self) -> dict[str, object]:
        """The row as JSON types, with fields at their default left out."""
        row: dict[str, object] = {"text": self.text, "label": str(self.label)}
        row["source"] = str(self.source)
        for name, default in (("technique", ""), ("language", "en"), ("family", "")):
            if (value := getattr(self, name)) != default:
                row[name] = value
        row["terms"] = self.terms
        if self.span is not None:
            row["span"] = list(self.span)
        return row

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> Example:
        """Inverse of `to_dict`; unknown keys are ignored.

        Raises:
            KeyError: `text` or `label` is missing.
            ValueError: label or source is not in the vocabulary.
        """
        span = row.get("span")
        return cls(
            text=row["text"],
            label=Label(row["label"]),
            source=Source(row.get("source", Source.USER)),
            technique=row.get("technique", ""),
            language=row.get("language", "en"),
            family=row.get("family", ""),
            terms=row.get("terms", "own"),
            span=None if span is None else (int(span[0]), int(span[1])),
        )


def _open(path: Path, mode: str) -> IO[str]:
    if path.suffix == ".gz":
        return cast("IO[str]", gzip.open(path, mode, encoding="utf-8"))
    return path.open(mode, encoding="utf-8")


def data_files(paths: Sequence[Path]) -> Iterator[Path]:
    """Files to read, in order; a folder stands for the `.jsonl` and `.jsonl.gz` files in it.

    Raises:
        FileNotFoundError: A folder holds none.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(p for p in path.iterdir() if p.name.endswith(_SUFFIXES))
        if not found:
            raise FileNotFoundError(f"no .jsonl or .jsonl.gz file in {path}")
        yield from found


def stem_of(path: Path) -> str:
    """Name of a JSON-lines file without its endings."""
    return path.name.removesuffix(".gz").removesuffix(".jsonl")


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the row of every line that is not blank.

    Raises:
        InputError: A line is not a JSON object with the strings `text` and `label`.
        FileNotFoundError: There is no such file.
    """
    with _open(path, "rt") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                complete = isinstance(row["text"], str) and isinstance(row["label"], str)
            except (ValueError, KeyError, TypeError):
                complete = False
            if not complete:
                raise InputError(
                    f"{path.name}, line {number}: a row is a JSON object with the strings "
                    "`text` and `label`"
                )
            yield number, row


def read_examples(path: str | Path) -> Iterator[Example]:
    """Yield the rows of a JSON-lines file, unpacking it when its name ends in `.gz`.

    Raises:
        InputError: A line is no such row; the message names file and line.
    """
    path = Path(path)
    for number, row in read_lines(path):
        try:
            yield Example.from_dict(row)
        except (ValueError, TypeError) as error:
            raise InputError(f"{path.name}, line {number}: {error}") from error


def write_examples(path: str | Path, examples: Iterable[Example]) -> int:
    """Write examples as `write_rows` does, and return how many."""
    return write_rows(path, (example.to_dict() for example in examples))


def write_rows(path: str | Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write rows as JSON lines (packed when the name ends in `.gz`) and return how many.

    Lone surrogates survive: they are written as JSON escapes.
    """
    count = 0
    with _open(Path(path), "wt") as out:
        for row in rows:
            out.write(json.dumps(row) + "\n")
            count += 1
    return count
