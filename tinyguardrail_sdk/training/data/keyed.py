"""What was seen before, by 64-bit keys, on disk: memory does not grow with the number of keys."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Numbers = NDArray[np.int64]

_WAITING = 1 << 16  # entries in memory before they are written
_LONGEST = 1 << 21  # entries of the longest run; merging two takes some 100 bytes an entry


class KeyedNumbers:
    """Numbers under keys, several under one where several were added.

    New ones wait in a dict. When there are many they become a sorted run in a temporary file, which
    is memory-mapped; runs of about one length are merged, so that there are few.

    Args:
        folder: Where the files are; they have no name, and go when this object does.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._waiting: dict[int, list[int]] = {}
        self._count = 0
        self._runs: list[tuple[Keys, Numbers]] = []

    def add(self, keys: Iterable[int], number: int = 0) -> None:
        """Put a number under each of the keys, 0 <= key < 2**64."""
        for key in keys:
            self._waiting.setdefault(key, []).append(number)
            self._count += 1
        if self._count >= _WAITING:
            self._write()

    def find(self, keys: Keys) -> list[int]:
        """The numbers under any of the keys, in no order; one under two keys comes twice."""
        found = [number for key in keys.tolist() for number in self._waiting.get(key, ())]
        for known, numbers in self._runs:
            first, last = _places(known, keys)
            for place in np.flatnonzero(last > first):
                found += numbers[first[place] : last[place]].tolist()
        return found

    def has(self, keys: Keys) -> NDArray[np.bool_]:
        """Whether anything is under each of the keys: (keys,)."""
        present = np.fromiter((key in self._waiting for key in keys.tolist()), bool, len(keys))
        for known, _ in self._runs:
            first, last = _places(known, keys)
            present |= last > first
        return present

    def _write(self) -> None:
        pairs = [(key, number) for key, numbers in self._waiting.items() for number in numbers]
        run = _sorted(
            np.array([key for key, _ in pairs], np.uint64),
            np.array([number for _, number in pairs], np.int64),
        )
        self._waiting.clear()
        self._count = 0
        while self._runs and self._mergeable(len(run[0])):
            keys, numbers = self._runs.pop()
            run = _sorted(np.concatenate([keys, run[0]]), np.concatenate([numbers, run[1]]))
        self._runs.append((mapped(run[0], self._folder), mapped(run[1], self._folder)))

    def _mergeable(self, length: int) -> bool:
        last = len(self._runs[-1][0])
        return last <= length and last + length <= _LONGEST


def digest(*parts: str) -> int:
    """A key that texts with equal parts share, the same in every process."""
    whole = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest(), "big")


def mapped(values: NDArray[Any], folder: Path | None) -> NDArray[Any]:
    """A copy of an array in a temporary file without a name, memory-mapped.

    Raises:
        OSError: The disk is full.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        # Written, not only made as long: a disk that is full when a map is written to is no error
        # in Python, but the end of the process.
        file.write(values.data)
        file.flush()
        return np.memmap(file, values.dtype, "r+", shape=values.shape)


def _sorted(keys: Keys, numbers: Numbers) -> tuple[Keys, Numbers]:
    order = np.argsort(keys, kind="stable")
    return keys[order], numbers[order]


def _places(known: Keys, keys: Keys) -> tuple[Numbers, Numbers]:
    return np.searchsorted(known, keys, "left"), np.searchsorted(known, keys, "right")
