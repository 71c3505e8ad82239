"""Labelled texts of any set, read from JSON lines for scoring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.training.data.schema import data_files, read_lines, stem_of

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
    """

    text: str
    label: str
    source: Source
    set: str
    kind: str
    language: str


def read_rows(paths: Sequence[Path], source_map: Mapping[str, Source]) -> list[Row]:
    """Read JSON lines with `text` and `label`; a folder stands for the files in it.

    Args:
        paths: `.jsonl` or `.jsonl.gz` files, and folders of them.
        source_map: Patterns of set names, over the defaults of `SOURCE_MAP`. A row whose own
            `source` is one of the runtime's keeps it.

    Raises:
        InputError: A line is no such row, or there is none.
        FileNotFoundError: A path does not exist.
    """
    rows = [row for path in data_files(paths) for row in _read(path, {**SOURCE_MAP, **source_map})]
    if not rows:
        raise InputError(f"no rows in {', '.join(map(str, paths))}")
    return rows


def _read(path: Path, source_map: Mapping[str, Source]) -> Iterator[Row]:
    name = stem_of(path)
    mapped = next((s for pattern, s in source_map.items() if fnmatch(name, pattern)), Source.USER)
    for _, row in read_lines(path):
        stated = row.get("source")
        yield Row(
            text=row["text"],
            label=row["label"],
            source=Source(stated) if stated in set(map(str, Source)) else mapped,
            set=name,
            kind=str(row.get("technique") or row.get("kind") or ""),
            language=str(row.get("language") or row.get("lang") or "en"),
        )
