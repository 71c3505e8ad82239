"""Extends the pretrained base's vocabulary with scripts that it can hardly spell.

The English base knows some 190 Chinese characters and half of the Devanagari letters; the rest
would be `[UNK]`, and the network blind to them. New entries go to the end, so the pretrained
rows keep their ids.
"""

from __future__ import annotations

from collections.abc import Sequence

# Rows 0xB0-0xD7 of GB 2312: the 3,755 characters of its level 1, chosen by frequency of use.
_GB2312_LEVEL_1 = (range(0xB0, 0xD8), range(0xA1, 0xFF))
_DEVANAGARI = range(0x0904, 0x0966)
_WORD_PREFIX = "##"


def extend(vocabulary: Sequence[str]) -> list[str]:
    """Return `vocabulary` followed by the common Chinese and all Devanagari characters it lacks."""
    known = set(vocabulary)
    additions = [char for char in _common_chinese() if char not in known]
    for letter in map(chr, _DEVANAGARI):
        additions += [piece for piece in (letter, _WORD_PREFIX + letter) if piece not in known]
    return [*vocabulary, *additions]


def _common_chinese() -> list[str]:
    rows, columns = _GB2312_LEVEL_1
    encoded = (bytes((row, column)) for row in rows for column in columns)
    # The last row of level 1 has five unassigned places.
    return [char for pair in encoded if (char := pair.decode("gb2312", "ignore"))]
