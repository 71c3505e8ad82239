"""Which rows of a set are copies: of an evaluation text, or of a row before them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyguardrail_sdk.labels import LABELS
from tinyguardrail_sdk.training.data.jsonl import data_files, read_lines
from tinyguardrail_sdk.training.data.keyed import KeyedNumbers, digest
from tinyguardrail_sdk.training.data.near import NearCopies, signature
from tinyguardrail_sdk.training.data.schema import Example

_EVALUATED = "evaluation"  # the group of the texts that nothing may be near


class Copies:
    """Says why a row is a copy.

    Near copies within the set count by class and source only. A clean text and the same text with
    an attack in it are near too, and the difference is what is to be learnt.

    Args:
        near: Share of five-word runs from which two texts are near, 0..1; 1 leaves near ones.
        against: Evaluation files and folders.
        folder: Where what was seen is kept; None takes the system's place.
    """

    def __init__(
        self, near: float, against: Sequence[Path] = (), folder: Path | None = None
    ) -> None:
        self._labels, self._evaluated = KeyedNumbers(folder), KeyedNumbers(folder)
        self._near = NearCopies(near, folder) if near < 1 else None
        for row in _rows(against):
            self._evaluated.add([digest(row["text"])])
            if self._near:
                self._near.add(signature(row["text"]), _EVALUATED)

    def reason(self, example: Example) -> str:
        """Why a row is a copy; empty when it is none, and then it is remembered."""
        if _under(self._evaluated, digest(example.text)):
            return "copy of an evaluation text"
        key, label = digest(example.source, example.text), LABELS.index(example.label)
        if known := _under(self._labels, key):
            return "copy" if known == [label] else "copy of another class"
        if self._near:
            made = signature(example.text)
            if self._near.near(made, _EVALUATED):
                return "near copy of an evaluation text"
            group = f"{example.label}/{example.source}"
            if self._near.near(made, group):
                return "near copy"
            self._near.add(made, group)
        self._labels.add([key], label)
        return ""


def _under(numbers: KeyedNumbers, key: int) -> list[int]:
    return numbers.find(np.array([key], np.uint64))


def _rows(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for path in data_files(paths):
        for _, row in read_lines(path):
            yield row
