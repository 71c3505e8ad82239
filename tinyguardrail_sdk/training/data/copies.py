"""Which rows of a set are copies: of an evaluation text, or of a row before them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tinyguardrail_sdk.labels import LABELS
from tinyguardrail_sdk.training.data.jsonl import data_files, read_lines
from tinyguardrail_sdk.training.data.kept import Journal
from tinyguardrail_sdk.training.data.keyed import KeyedNumbers, digest
from tinyguardrail_sdk.training.data.near import PERMUTATIONS, NearCopies, Signature, signature
from tinyguardrail_sdk.training.data.schema import Example

_EVALUATED = "evaluation"  # the group of the texts that nothing may be near
_REASONS = (
    "", "copy of an evaluation text", "copy", "copy of another class",
    "near copy of an evaluation text", "near copy",
)  # fmt: skip
_ROW = np.dtype([("reason", "u1"), ("signature", "<u4", (PERMUTATIONS,))])
_UNSIGNED: Signature = np.zeros(PERMUTATIONS, np.uint32)  # of what is not compared by it
_TOGETHER = 256  # findings of a record: 130 KB, and no more are lost

# Why a row is a copy, and its signature.
_Finding = tuple[str, Signature]


class Copies:
    """Says why a row is a copy.

    Near copies within the set count by class and source only. A clean text and the same text with
    an attack in it are near too, and the difference is what is to be learnt.

    Args:
        near: Share of five-word runs from which two texts are near, 0..1; 1 leaves near ones.
        against: Evaluation files and folders.
        folder: Where what was seen is kept; None takes the system's place.
        journal: What an interrupted run found of the same rows is taken from it, not found again.
    """

    def __init__(
        self,
        near: float,
        against: Sequence[Path] = (),
        folder: Path | None = None,
        journal: Journal | None = None,
    ) -> None:
        self._findings = _Findings(journal or Journal())
        self._labels, self._evaluated = KeyedNumbers(folder), KeyedNumbers(folder)
        self._near = NearCopies(near, folder) if near < 1 else None
        for row in _rows(against):
            self._evaluated.add([digest(row["text"])])
            if self._near:
                _, made = self._findings.next(partial(_signed, row["text"]))
                self._near.add(made, _EVALUATED)

    def reason(self, example: Example) -> str:
        """Why a row is a copy; empty when it is none, and then it is remembered."""
        reason, made = self._findings.next(partial(self._compared, example))
        if not reason:
            self._labels.add([_key(example)], LABELS.index(example.label))
            if self._near:
                self._near.add(made, _group(example))
        return reason

    def _compared(self, example: Example) -> _Finding:
        if _under(self._evaluated, digest(example.text)):
            return "copy of an evaluation text", _UNSIGNED
        if known := _under(self._labels, _key(example)):
            same = known == [LABELS.index(example.label)]
            return "copy" if same else "copy of another class", _UNSIGNED
        if not self._near:
            return "", _UNSIGNED
        made = signature(example.text)
        if self._near.near(made, _EVALUATED):
            return "near copy of an evaluation text", made
        return "near copy" if self._near.near(made, _group(example)) else "", made


class _Findings:
    """What was found of rows, one after the other, kept in records of many."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._taken: Iterator[_Finding] = iter(())
        self._new: list[_Finding] = []

    def next(self, find: Callable[[], _Finding]) -> _Finding:
        """That of the next row: what was kept, and after it what `find` finds."""
        found = next(self._taken, None)
        if found is None and (record := self._journal.take()) is not None:
            self._taken = _unpacked(record)
            found = next(self._taken)
        if found is None:
            found = find()
            self._new.append(found)
            if len(self._new) == _TOGETHER:
                self._journal.put(_packed(self._new))
                self._new.clear()
        return found


def _packed(findings: Sequence[_Finding]) -> bytes:
    rows = [(_REASONS.index(reason), made) for reason, made in findings]
    return np.array(rows, _ROW).tobytes()


def _unpacked(record: bytes) -> Iterator[_Finding]:
    rows = np.frombuffer(record, _ROW)
    return zip((_REASONS[place] for place in rows["reason"]), rows["signature"], strict=True)


def _signed(text: str) -> _Finding:
    return "", signature(text)


def _key(example: Example) -> int:
    return digest(example.source, example.text)


def _group(example: Example) -> str:
    return f"{example.label}/{example.source}"


def _under(numbers: KeyedNumbers, key: int) -> list[int]:
    return numbers.find(np.array([key], np.uint64))


def _rows(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for path in data_files(paths):
        for _, row in read_lines(path):
            yield row
