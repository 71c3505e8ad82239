"""Labelled texts of any set, read from JSON lines for scoring."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, cast

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.training.data.schema import Example

# Where the texts of a set come from, by the set's name; the first pattern that fits decides.
SOURCE_MAP: Mapping[str, Source] = {"bipia*": Source.DOCUMENT, "agentdojo*": Source.TOOL}


@dataclass(frozen=True)
class Row:
    """A labelled text of an evaluation set.

    Attributes:
        text: What is judged.
        label: A class, or another word for what is reported apart.
        source: Where it is judged to come from.
        set: Name of its file.
        kind: Technique or subset, as the file says.
        language: ISO 639-1 code.
        span: Characters (start, end) in which an attack stands, where the file says so.
    """

    text: str
    label: str
    source: Source
    set: str
    kind: str
    language: str
    span: tuple[int, int] | None = None


def read_rows(
    paths: Sequence[Path], source_map: Mapping[str, Source], label: str | None = None
) -> list[Row]:
    """Read JSON lines with `text` and `label`; a folder stands for the files in it.

    Args:
        paths: `.jsonl` or `.jsonl.gz` files, and folders of them.
        source_map: Patterns of set names, over the defaults of `SOURCE_MAP`. A row whose own
            `source` is one of the runtime's keeps it.
        label: Of the rows that state none; None demands one of every row.

    Raises:
        InputError: A line is no such row, or there is none.
        FileNotFoundError: A path does not exist.
    """
    sources = {**SOURCE_MAP, **source_map}
    rows = [row for path in files_of(paths) for row in _read(path, sources, label)]
    if not rows:
        raise InputError(f"no rows in {', '.join(map(str, paths))}")
    return rows


def files_of(paths: Sequence[Path]) -> Iterator[Path]:
    """The files that `read_rows` reads, in its order."""
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.name.endswith((".jsonl", ".jsonl.gz")))
        else:
            yield path


def _read(path: Path, source_map: Mapping[str, Source], unstated: str | None) -> Iterator[Row]:
    name = path.name.removesuffix(".gz").removesuffix(".jsonl")
    mapped = next((s for pattern, s in source_map.items() if fnmatch(name, pattern)), Source.USER)
    packed = path.suffix == ".gz"
    opened = gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8")
    with cast("IO[str]", opened) as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                text = row["text"]
                label = row["label"] if unstated is None else row.get("label", unstated)
            except (ValueError, KeyError, TypeError):
                raise InputError(
                    f"{path.name}, line {number}: a row is a JSON object with `text` and `label`"
                ) from None
            stated = row.get("source")
            yield Row(
                text=text,
                label=label,
                source=Source(stated) if stated in set(map(str, Source)) else mapped,
                set=name,
                kind=str(row.get("technique") or row.get("kind") or ""),
                language=str(row.get("language") or row.get("lang") or "en"),
                span=tuple(row["span"]) if row.get("span") else None,
            )


def as_rows(examples: Sequence[Example]) -> list[Row]:
    """Examples as the rows that `judging` takes."""
    return [
        Row(e.text, str(e.label), e.source, "", e.technique, e.language, e.span) for e in examples
    ]
