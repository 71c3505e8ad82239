"""Disguises that come as a program or a document: the payload is data in it.

The four orders of `scrambled` are those that CodeChameleon made known; the programs are ours.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_SPLIT = re.compile(r"\s+")


@dataclass(slots=True)
class _Tree:
    value: str
    left: _Tree | None = None
    right: _Tree | None = None

    def to_dict(self) -> dict[str, object]:
        return {
            "value": self.value,
            "left": self.left and self.left.to_dict(),
            "right": self.right and self.right.to_dict(),
        }


def _plant(words: list[str]) -> _Tree | None:
    """A balanced tree whose in-order walk gives the words back."""
    if not words:
        return None
    middle = len(words) // 2
    return _Tree(words[middle], _plant(words[:middle]), _plant(words[middle + 1 :]))


def binary_tree(text: str) -> str:
    """The words as a nested dictionary, to be read in order."""
    tree = _plant(text.split())
    return repr(tree.to_dict()) if tree else "{}"


def reversed_list(text: str) -> str:
    """The words as a list, last first."""
    return repr(text.split()[::-1])


def odd_even(text: str) -> str:
    """The words at even places, then those at odd places, as a list."""
    words = text.split()
    return repr(words[::2] + words[1::2])


def by_length(text: str) -> str:
    """The words with their places, shortest first, as a list."""
    words = sorted(enumerate(text.split()), key=lambda item: (len(item[1]), item[0]))
    return json.dumps([{word: place} for place, word in words], ensure_ascii=False)


def pieces(text: str, size: int = 6) -> list[str]:
    """The text cut into parts of about `size` characters."""
    return [text[i : i + size] for i in range(0, len(text), size)]


def variables(text: str) -> str:
    """Payload splitting: a few variables and their sum."""
    parts = pieces(text, max(4, len(text) // 5))
    names = [f"{'abcdefghijklmnopqrstuvwxyz'[i % 26]}{i // 26 or ''}" for i in range(len(parts))]
    lines = [f"{name} = {part!r}" for name, part in zip(names, parts, strict=True)]
    return "\n".join([*lines, "z = " + " + ".join(names)])


def string_list(text: str) -> str:
    """A list of fragments, to be joined."""
    return json.dumps(pieces(text, 4), ensure_ascii=False)


def chr_sum(text: str) -> str:
    """chr(..) + chr(..) + ..."""
    return " + ".join(f"chr({ord(char)})" for char in text)


def acrostic_lines(text: str) -> str:
    """One word a line with numbers, shuffled by word length, to be sorted back."""
    words = sorted(enumerate(text.split(), 1), key=lambda item: (len(item[1]), item[1]))
    return "\n".join(f"{place}: {word}" for place, word in words)


def columns(text: str, width: int = 6) -> str:
    """Written in rows of `width`, read down the columns."""
    letters = text.replace(" ", "_")
    rows = [letters[i : i + width].ljust(width, "_") for i in range(0, len(letters), width)]
    return " ".join("".join(row[i] for row in rows) for i in range(width))


def json_wrapped(text: str) -> str:
    """Every character its own JSON string."""
    return json.dumps({"chars": list(text)}, ensure_ascii=False)


def markdown_split(text: str) -> str:
    """Emphasis marks inside the words."""
    return " ".join(
        f"{word[: len(word) // 2]}**{word[len(word) // 2 :]}**" if len(word) > 3 else word
        for word in _SPLIT.split(text)
    )


def html_split(text: str) -> str:
    """Empty elements inside the words."""
    return " ".join(
        f"{word[: len(word) // 2]}<b></b>{word[len(word) // 2 :]}" if len(word) > 3 else word
        for word in _SPLIT.split(text)
    )


def ascii_art_rows(text: str) -> str:
    """The letters down the page, one a line, words parted by a rule."""
    return "\n---\n".join("\n".join(word) for word in text.split())
