"""Near copies among many texts, found by MinHash signatures: the texts themselves are not kept.

A text costs some 7 KB: its signature and its places in the index.
"""

from __future__ import annotations

import hashlib
import zlib
from typing import Any

from datasketch import MinHash, MinHashLSH

from tinyguardrail_sdk.training.data.shingles import shingles

_PERMUTATIONS = 128
_MISSED = 0.05  # most pairs right at the threshold that the index may not find


def digest(*parts: str) -> int:
    """A 64-bit number that texts with equal parts share, the same in every process."""
    whole = "\0".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest(), "big")


def signature(text: str) -> Any:
    """MinHash of the shingles of a text."""
    made = _EMPTY.copy()
    made.update_batch([shingle.encode("utf-8", "surrogatepass") for shingle in shingles(text)])
    return made


class NearCopies:
    """Texts that were added, and which of them a further one is near.

    Args:
        threshold: Share of five-word runs that two near copies have in common (Jaccard), 0..1;
            estimated from signatures with a standard error of 0.04 at most.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._index = MinHashLSH(num_perm=_PERMUTATIONS, params=_bands(threshold))
        self._added: dict[int, Any] = {}

    def add(self, key: int, made: Any) -> None:
        """Add a text under a number of its own, by its signature."""
        self._index.insert(key, made)
        self._added[key] = made

    def near(self, made: Any) -> list[int]:
        """Keys of the added texts that a text is near, smallest first."""
        found = self._index.query(made)
        return sorted(k for k in found if made.jaccard(self._added[k]) >= self._threshold)


def _bands(threshold: float) -> tuple[int, int]:
    """Bands of the index and their length: the longest that miss few enough pairs.

    Longer bands find fewer false pairs, which comparing signatures weeds out. (Left to itself the
    index integrates over all lengths, which takes seconds.)
    """
    lengths = range(_PERMUTATIONS, 0, -1)
    bands = ((_PERMUTATIONS // length, length) for length in lengths)
    return next((b, r) for b, r in bands if (1 - threshold**r) ** b <= _MISSED)


_EMPTY = MinHash(_PERMUTATIONS, hashfunc=zlib.crc32)
