"""Which rows of a set are copies: of an evaluation text, or of a row before them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.jsonl import data_files, read_lines
from tinyguardrail_sdk.training.data.near import NearCopies, digest, signature
from tinyguardrail_sdk.training.data.schema import Example


class Copies:
    """Says why a row is a copy.

    Near copies within the set count by class and source only. A clean text and the same text with
    an attack in it are near too, and the difference is what is to be learnt.

    Args:
        near: Share of five-word runs from which two texts are near, 0..1; 1 leaves near ones.
        against: Evaluation files and folders.
    """

    def __init__(self, near: float, against: Sequence[Path] = ()) -> None:
        self._near = near if near < 1 else None
        self._labels: dict[int, Label] = {}
        self._own: dict[tuple[Label, Source], NearCopies] = {}
        self._evaluated: set[int] = set()
        self._evaluation = NearCopies(self._near) if self._near else None
        for row in _rows(against):
            key = digest(row["text"])
            if key not in self._evaluated:
                self._evaluated.add(key)
                if self._evaluation:
                    self._evaluation.add(key, signature(row["text"]))

    def reason(self, example: Example) -> str:
        """Why a row is a copy; empty when it is none, and then it is remembered."""
        if digest(example.text) in self._evaluated:
            return "copy of an evaluation text"
        key = digest(example.source, example.text)
        if (label := self._labels.get(key)) is not None:
            return "copy" if label is example.label else "copy of another class"
        if self._near:
            made = signature(example.text)
            if self._evaluation and self._evaluation.near(made):
                return "near copy of an evaluation text"
            group = (example.label, example.source)
            earlier = self._own.setdefault(group, NearCopies(self._near))
            if earlier.near(made):
                return "near copy"
            earlier.add(key, made)
        self._labels[key] = example.label
        return ""


def _rows(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for path in data_files(paths):
        for _, row in read_lines(path):
            yield row
