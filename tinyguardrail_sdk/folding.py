"""Rewriting a text one character at a time, without losing the way back.

Both the normaliser and the tokenizer map every character to a string of any length. Offsets tell
where a character of the result comes from: an int32 array, one longer than the result, with the
source index where each character begins; it ends in the source's length and never decreases. None
stands for the identity.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

_MEMORY = 65_536  # characters remembered, more than honest texts use

Indices: TypeAlias = NDArray[np.int32]


class Folding(dict[str, str]):
    """What becomes of every character, worked out when first met."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        """Remember what `rule` makes of single characters."""
        super().__init__()
        self._rule = rule

    def __missing__(self, character: str) -> str:
        """Apply the rule to a character met for the first time."""
        folded = self._rule(character)
        if len(self) >= _MEMORY:
            self.clear()
        self[character] = folded
        return folded

    def parts(self, text: str) -> list[str] | None:
        """What each character becomes, or None where nothing changes."""
        alphabet = {character: self[character] for character in set(text)}
        if all(character == folded for character, folded in alphabet.items()):
            return None
        return [alphabet[character] for character in text]


def join(parts: Sequence[str]) -> tuple[str, Indices | None]:
    """The text made of the parts, and its offsets into the sequence of parts."""
    lengths = np.fromiter(map(len, parts), np.int32, len(parts))
    offsets = None
    if not (lengths == 1).all():
        origins = np.repeat(np.arange(len(parts), dtype=np.int32), lengths)
        offsets = np.append(origins, np.int32(len(parts)))
    return "".join(parts), offsets


def source_spans(
    offsets: Indices | None, starts: Indices, ends: Indices
) -> tuple[Indices, Indices]:
    """The source spans that cover spans `(n,)` of the result; none of these may be empty."""
    if offsets is None:
        return starts, ends
    # A span may end between two characters that come from the same one, which it then covers.
    return offsets[starts], np.maximum(offsets[ends], offsets[ends - 1] + np.int32(1))
