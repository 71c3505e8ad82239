"""Near copies among many texts, found by MinHash signatures: the texts themselves are not kept.

Signatures and the index of their bands are on disk, some 900 bytes a text. (The library's own index
keeps 7 KB a text in memory.)
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

from tinyguardrail_sdk.training.data.keyed import KeyedNumbers, digest, mapped
from tinyguardrail_sdk.training.data.shingles import shingles

Signature = NDArray[np.uint32]

PERMUTATIONS = 128
_BLOCK = 1 << 16  # signatures in a file
_MISSED = 0.05  # most pairs right at the threshold that the index may not find


def signature(text: str) -> Signature:
    """MinHash of the shingles of a text: (128,)."""
    made = _EMPTY.copy()
    made.update_batch([shingle.encode("utf-8", "surrogatepass") for shingle in shingles(text)])
    values: Signature = made.hashvalues.astype(np.uint32)  # it computes them modulo 2**32
    return values


class NearCopies:
    """Texts that were added, and whether a further one is near any of them.

    Args:
        threshold: Share of five-word runs that two near copies have in common (Jaccard), 0..1;
            estimated from signatures with a standard error of 0.04 at most.
        folder: Where signatures and index are kept; None takes the system's place.
    """

    def __init__(self, threshold: float, folder: Path | None = None) -> None:
        self._threshold, self._folder = threshold, folder
        self._bands = _bands(threshold)
        self._index = KeyedNumbers(folder)
        self._blocks: list[NDArray[np.uint32]] = []
        self._added = 0

    def add(self, made: Signature, group: str = "") -> None:
        """Add a text, by its signature, to a group of those that are compared."""
        block, place = divmod(self._added, _BLOCK)
        if block == len(self._blocks):
            self._blocks.append(mapped(np.zeros((_BLOCK, PERMUTATIONS), np.uint32), self._folder))
        self._blocks[block][place] = made
        self._index.add(self._keys(made, group).tolist(), self._added)
        self._added += 1

    def near(self, made: Signature, group: str = "") -> bool:
        """Whether a text is near one that was added to the group."""
        for number in set(self._index.find(self._keys(made, group))):
            block, place = divmod(number, _BLOCK)
            if np.mean(self._blocks[block][place] == made) >= self._threshold:
                return True
        return False

    def _keys(self, made: Signature, group: str) -> NDArray[np.uint64]:
        """A key for each band: two texts that share one are compared."""
        bands, length = self._bands
        parts = made[: bands * length].astype(np.uint64).reshape(bands, length)
        salt = np.uint64(digest(group)) + np.arange(bands, dtype=np.uint64)
        keys: NDArray[np.uint64] = (parts * _FACTORS[:length]).sum(1) ^ salt * _FACTORS[0]
        return keys


def _bands(threshold: float) -> tuple[int, int]:
    """Bands of the index and their length: the longest that miss few enough pairs.

    Longer bands find fewer false pairs, which comparing signatures weeds out. (Left to itself the
    index integrates over all lengths, which takes seconds.)
    """
    lengths = range(PERMUTATIONS, 0, -1)
    bands = ((PERMUTATIONS // length, length) for length in lengths)
    return next((b, r) for b, r in bands if (1 - threshold**r) ** b <= _MISSED)


# Odd, so that no bit of a value is lost; a chance collision of keys costs one comparison.
_FACTORS = np.random.default_rng(0).integers(2**63, size=PERMUTATIONS, dtype=np.uint64) * 2 + 1
_EMPTY = MinHash(PERMUTATIONS, hashfunc=zlib.crc32)
