"""Text on a terminal: shown, measured and coloured without letting it take the terminal over."""

from __future__ import annotations

import os
import unicodedata
from typing import TextIO

# Printable by category, yet seen as nothing: Hangul and Khmer fillers, the blank Braille cell.
_BLANKS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_VARIATION_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
# More marks than this on one letter climb into the neighbouring lines.
_MAX_MARKS = 2
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CODES = {"red": "31", "green": "32", "yellow": "33", "dim": "2", "marked": "1;7;31"}


def visible(text: str) -> str:
    """Return the text with everything invisible, and everything that steers a terminal, escaped."""
    shown: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        harmless = char.isprintable() and char not in _BLANKS and marks <= _MAX_MARKS
        if harmless and not any(ord(char) in selectors for selectors in _VARIATION_SELECTORS):
            shown.append(char)
        else:
            shown.append(_NAMED.get(char) or _escape(ord(char)))
    return "".join(shown)


def width(shown: str) -> int:
    """Return how many columns a visible text takes."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in shown
    )


def wants_color(stream: TextIO) -> bool:
    """Whether colours may be sent: to terminals that know them, unless NO_COLOR is set."""
    capable = stream.isatty() and os.environ.get("TERM") != "dumb"
    return capable and not os.environ.get("NO_COLOR")


def paint(shown: str, color: str, *, on: bool) -> str:
    """Wrap a visible text in the code of a colour."""
    return f"\x1b[{_CODES[color]}m{shown}\x1b[0m" if on and shown else shown


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
