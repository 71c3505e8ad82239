"""Rows of data files by their number, in any order: a packed file can only be read through."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.data.jsonl import read_lines
from tinyguardrail_sdk.training.data.schema import Example, line_of

_PLACE = np.dtype("<i8")


class StoredRows:
    """An unpacked copy of the rows, and where each begins; both on disk, neither in memory.

    The files are read once. What becomes of them afterwards does not matter.

    Args:
        paths: JSON-lines files; rows are counted through them as `read_examples` does.
        folder: Where the copy is, made where it does not exist; the copy has no name, and goes
            when this object does.

    Raises:
        InputError: A line is no row.
        OSError: The disk is full.
    """

    def __init__(self, paths: Sequence[Path], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryFile(dir=folder) as rows,
            tempfile.TemporaryFile(dir=folder) as places,
        ):
            place = 0
            for path in paths:
                for _, row in read_lines(path):
                    places.write(place.to_bytes(_PLACE.itemsize, "little"))
                    place += rows.write(line_of(row).encode())
            places.write(place.to_bytes(_PLACE.itemsize, "little"))
            self._rows = _mapped(rows, np.dtype(np.uint8))
            self._places = _mapped(places, _PLACE)

    def at(self, numbers: Iterable[int]) -> list[Example]:
        """The rows of the given numbers, in their order.

        Raises:
            InputError: There are fewer rows.
        """
        return [self._row(number) for number in numbers]

    def _row(self, number: int) -> Example:
        count = len(self._places) - 1
        if number >= count:
            raise InputError(f"the files hold {count} rows, not {number + 1}: have they changed?")
        first, last = self._places[number : number + 2].tolist()
        return Example.from_dict(json.loads(self._rows[first:last].tobytes()))


def _mapped(file: IO[bytes], kind: np.dtype[Any]) -> NDArray[Any]:
    """What was written to a file; an empty one cannot be mapped."""
    file.flush()
    return np.memmap(file, kind, "r") if file.tell() else np.empty(0, kind)
