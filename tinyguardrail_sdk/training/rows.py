"""Labelled texts of any set, read from JSON lines for scoring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Source
from tinyguardrail_sdk.training.data.jsonl import ROW_FORM, data_files, read_lines, stem_of
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.reporter import tell

# Where the texts of a set come from, by the set's name; the first pattern that fits decides.
SOURCE_MAP: Mapping[str, Source] = {"bipia*": Source.DOCUMENT, "agentdojo*": Source.TOOL}

# Of sources that are none: how many, and characters of each.
_MOST_TOLD, _LONGEST_TOLD = 5, 60

# How many rows state a source that is none, by what they state and the source taken instead.
_Foreign = Counter[tuple[str, Source]]


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

    @property
    def has_class(self) -> bool:
        """Whether its label is one of the four classes."""
        return self.label in LABELS


def read_rows(
    paths: Sequence[Path], source_map: Mapping[str, Source], label: str | None = None
) -> list[Row]:
    """Read JSON lines with `text` and `label`; a folder stands for the files in it.

    Collected rows may state another `source` than the runtime's, such as the name of their set.
    They are taken like rows that state none, and it is said.

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
    foreign: _Foreign = Counter()
    rows = [row for path in data_files(paths) for row in _read(path, sources, label, foreign)]
    if not rows:
        raise InputError(f"no row in {', '.join(map(str, paths))}; {ROW_FORM}")
    if foreign:
        _tell_foreign(foreign)
    return rows


def judged_rows(paths: Sequence[Path], source_map: Mapping[str, Source]) -> list[Row]:
    """Rows of which one at least is of a class; says how many are of none.

    Raises:
        FileNotFoundError: A path does not exist.
        InputError: A line is no row, or no row is of one of the four classes.
    """
    rows = read_rows(paths, source_map)
    refuse_no_class(row.label for row in rows)
    odd = Counter(row.label for row in rows if not row.has_class)
    if odd:
        tell(
            f"{odd.total()} of {len(rows)} rows have a label outside the four "
            f"({', '.join(sorted(odd))}) and are counted apart"
        )
    return rows


def refuse_no_class(labels: Iterable[str]) -> None:
    """Read labels up to the first that is one of the four classes.

    Raises:
        InputError: There are labels, and none is.
    """
    odd: Counter[str] = Counter()
    for label in labels:
        if label in LABELS:
            return
        odd[label] += 1
    if odd:
        raise InputError(
            f"no text is of a class that is judged: {', '.join(LABELS)}; of these "
            f"{odd.total()} the labels are {', '.join(map(repr, sorted(odd)[:_MOST_TOLD]))}"
        )


def _tell_foreign(foreign: _Foreign) -> None:
    shown = [
        f"{stated} of {rows} rows (taken as {source})"
        for (stated, source), rows in foreign.most_common(_MOST_TOLD)
    ]
    if len(foreign) > _MOST_TOLD:
        shown.append(f"{len(foreign) - _MOST_TOLD} more")
    tell(f"a source is one of {', '.join(Source)}, unlike {', '.join(shown)}")


def _read(
    path: Path, source_map: Mapping[str, Source], unstated: str | None, foreign: _Foreign
) -> Iterator[Row]:
    name = stem_of(path)
    mapped = next((s for pattern, s in source_map.items() if fnmatch(name, pattern)), Source.USER)
    for _, row in read_lines(path, unstated):
        stated = row.get("source")
        known = stated in tuple(Source)
        if stated is not None and not known:
            foreign[repr(stated)[:_LONGEST_TOLD], mapped] += 1
        yield Row(
            text=row["text"],
            label=row["label"],
            source=Source(stated) if known else mapped,
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
