"""Rows to learn from, of either form: this package's own, or collected ones as pools keep them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Source
from tinyguardrail_sdk.training.data.jsonl import read_lines, stem_of
from tinyguardrail_sdk.training.data.pools import PAYLOAD_LABEL, collected_example
from tinyguardrail_sdk.training.data.schema import Example

USE, EVALUATION = "use", "evaluation"  # marks fetched rows that nothing may be trained on
_COLLECTED_KEYS = {"upstream", "kind", "lang"}


def labelled_rows(path: Path) -> Iterator[tuple[int, Example | None]]:
    """Rows of this package's own form or of a pool; None for a plain risky request, no class.

    Raises:
        InputError: A line is no such row, or is for evaluation only; file and line are named.
    """
    stem = stem_of(path)
    for number, row in read_lines(path):
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
