"""Rows to learn from, of either form: this package's own, or collected ones as pools keep them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Source
from tinyguardrail_sdk.training.data.jsonl import read_lines, stem_of
from tinyguardrail_sdk.training.data.pools import PAYLOAD_LABEL, collected_example
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.progress import Progress

USE, EVALUATION = "use", "evaluation"  # marks fetched rows that nothing may be trained on
_COLLECTED_KEYS = {"upstream", "kind", "lang"}


def rows_of_files(
    files: Sequence[Path], progress: Progress
) -> Iterator[tuple[int, int, Example | None]]:
    """The rows of files as `labelled_rows` gives them, with the number of the file before.

    Args:
        files: What is read, in order.
        progress: Told the bytes read so far and of all.
    """
    sizes = [path.stat().st_size for path in files]
    total, before = sum(sizes), 0
    for index, path in enumerate(files):
        progress(before, total)
        advance = partial(_advance, progress, before, total)
        for line, example in labelled_rows(path, advance):
            yield index, line, example
        before += sizes[index]
    progress(total, total)


def _advance(progress: Progress, before: int, total: int, place: int) -> None:
    progress(before + place, total)


def labelled_rows(
    path: Path, advance: Callable[[int], None] = lambda place: None
) -> Iterator[tuple[int, Example | None]]:
    """Rows of this package's own form or of a pool; None for a plain risky request, no class.

    Args:
        path: The file.
        advance: As of `read_lines`.

    Raises:
        InputError: A line is no such row, or is for evaluation only; file and line are named.
    """
    stem = stem_of(path)
    for number, row in read_lines(path, advance=advance):
        if row.get(USE) == EVALUATION:
            raise InputError(
                f"{path.name}, line {number}: this row is for evaluation only; "
                "give the file with --against, and not for training"
            )
        yield number, _as_example(row, stem, f"{path.name}, line {number}")


def _as_example(row: dict[str, Any], stem: str, where: str) -> Example | None:
    if row["label"] == PAYLOAD_LABEL:
        return None
    try:
        own = "terms" in row and not _COLLECTED_KEYS & row.keys()
        return Example.from_dict(row) if own else collected_example(row, stem)
    except (ValueError, TypeError) as error:
        known = f"labels {', '.join(LABELS)}; sources {', '.join(Source)}"
        raise InputError(f"{where}: {error}; known: {known}") from error
