"""Extends the pretrained base's vocabulary with scripts that it can hardly spell.

The English base knows some 190 Chinese characters and half of the Devanagari letters; the rest
would be `[UNK]`, and the network blind to them. New entries go to the end, so the pretrained
rows keep their ids. The shipped vocabulary is that of `all_minilm_l6_v2`, extended.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.bases import packaged_archive

# Rows 0xB0-0xD7 of GB 2312: the 3,755 characters of its level 1, chosen by frequency of use.
_GB2312_LEVEL_1 = (range(0xB0, 0xD8), range(0xA1, 0xFF))
_TOKENIZER = "tokenizer.json"
_DEVANAGARI = range(0x0904, 0x0966)
_WORD_PREFIX = "##"


def load_vocabulary(base: str) -> list[str]:
    """Read the pieces of a WordPiece vocabulary in the order of their ids.

    Args:
        base: A `vocab.txt`, a folder or zip that holds a `tokenizer.json`, or the name of an
            installed package that ships such a zip (`all_minilm_l6_v2`).

    Raises:
        InputError: There is no vocabulary.
    """
    path = Path(base)
    archive = path if path.suffix == ".zip" else packaged_archive(base)
    try:
        if archive is not None:
            with zipfile.ZipFile(archive) as bundle:
                return _pieces(bundle.read(_TOKENIZER))
        if path.is_dir():
            return _pieces((path / _TOKENIZER).read_bytes())
        return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, ValueError, LookupError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(
            f"base {base}: no vocabulary ({type(error).__name__}); give a vocab.txt, a folder or "
            f"zip with a {_TOKENIZER}, or an installed package such as all_minilm_l6_v2"
        ) from None


def _pieces(tokenizer: bytes) -> list[str]:
    ids: dict[str, int] = json.loads(tokenizer)["model"]["vocab"]
    return sorted(ids, key=lambda piece: ids[piece])


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
