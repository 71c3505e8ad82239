"""One training row, and how it is kept on disk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Label, Source
from tinyguardrail_sdk.training.data.jsonl import read_lines, whole_text


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


def read_examples(path: str | Path) -> Iterator[Example]:
    """Yield the rows of a JSON-lines file, unpacking it when its name ends in `.gz`.

    Raises:
        InputError: A line is no such row; the message names file, line and fix.
        FileNotFoundError: There is no such file.
    """
    path = Path(path)
    for number, row in read_lines(path):
        try:
            yield Example.from_dict(row)
        except (ValueError, TypeError, IndexError) as error:
            raise InputError(f"{path}, line {number}: {_wrong(row, error)}") from None


def _wrong(row: Mapping[str, Any], error: Exception) -> str:
    """What keeps a row from being an example."""
    for name, values in (("label", LABELS), ("source", tuple(Source))):
        if (given := row.get(name, values[0])) not in values:
            return f"{name} {given!r} is none of {', '.join(values)}"
    return f"{error}; a span is [start, end]"


def write_examples(path: str | Path, examples: Iterable[Example]) -> int:
    """Write examples as `write_rows` does, and return how many."""
    return write_rows(path, (example.to_dict() for example in examples))


def write_rows(path: str | Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write rows as JSON lines (packed when the name ends in `.gz`) and return how many.

    The file appears when it is whole; an error or Ctrl-C leaves what was there before.
    """
    count = 0
    with whole_text(Path(path)) as out:
        for row in rows:
            out.write(line_of(row))
            count += 1
    return count


def line_of(row: dict[str, Any]) -> str:
    """A row as a line; lone surrogates survive as JSON escapes."""
    return json.dumps(row) + "\n"
