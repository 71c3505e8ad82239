"""What a text looks like from outside, whatever it says: the stuff that shortcuts are made of."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.training.data.planting import format_of
from tinyguardrail_sdk.training.data.schema import Example

Columns = NDArray[np.float64]

_MARKS = "{}[]<>|\"'`\\=_/#*"
_MARKDOWN = re.compile(
    r"^(?:#{1,6} \S|```|[-*+] \S.*\n[-*+] \S|\d+\. \S.*\n\d+\. \S)", re.MULTILINE
)
_LETTERS = 200  # letters by which a script is told

# A number for each text; those without an information of their own have an AUROC of 0.5.
NUMBERS: Mapping[str, Callable[[str], float]] = MappingProxyType(
    {
        "length": len,
        "lines": lambda text: text.count("\n"),
        "marks": lambda text: sum(text.count(m) for m in _MARKS) / (len(text) + 1),
        "capitals": lambda text: sum(map(str.isupper, text)) / (len(text) + 1),
        "not_ascii": lambda text: sum(char > "\x7f" for char in text) / (len(text) + 1),
        "ends_with_question": lambda text: float(text.rstrip().endswith("?")),
        "lower_start": lambda text: float(text[:1].islower()),
    }
)


def layout(text: str) -> str:
    """The format: json, html, grid, code, markdown or plain."""
    found = format_of(text)
    if found == "prose":
        return "markdown" if _MARKDOWN.search(text) else "plain"
    return found


def ending(text: str) -> str:
    """The last character: itself where it ends sentences, else its kind."""
    last = text.rstrip()[-1:]
    if last in ".?!:;,…。？！":
        return last or "nothing"
    if last.isalpha():
        return "letter"
    if last.isdigit():
        return "digit"
    return "bracket or quote" if last in ")]}>\"'`»”’" else "other"


def script(text: str) -> str:
    """The script of most of the first letters, as Unicode names it; `none` without letters."""
    letters = islice(filter(str.isalpha, text), _LETTERS)
    counts = Counter(map(_script_of, letters))
    return counts.most_common(1)[0][0] if counts else "none"


@cache
def _script_of(letter: str) -> str:
    return unicodedata.name(letter, "UNNAMED").split()[0].lower()


# What a shortcut may be: numbers, or words that become one column each.
_KINDS: Mapping[str, Callable[[Example], str]] = MappingProxyType(
    {
        "format": lambda example: layout(example.text),
        "ending": lambda example: ending(example.text),
        "script": lambda example: script(example.text),
        "source": lambda example: str(example.source),
    }
)
_SIGNS = ("marks", "capitals", "not_ascii", "lower_start")


def kinds(example: Example) -> dict[str, str]:
    """Format, ending, script and source of an example."""
    return {name: kind(example) for name, kind in _KINDS.items()}


def columns(examples: Sequence[Example]) -> dict[str, Columns]:
    """The properties of N examples as numbers.

    Returns:
        (N, columns) by property; `signs` are marks, capitals, not ASCII and a small first letter.
    """
    numbers = {name: _number(examples, NUMBERS[name]) for name in ("length", "lines", *_SIGNS)}
    found = {name: numbers[name][:, None] for name in ("length", "lines")}
    found["signs"] = np.stack([numbers[name] for name in _SIGNS], axis=1)
    for name, kind in _KINDS.items():
        values = [kind(example) for example in examples]
        known = sorted(set(values))
        found[name] = (np.array(values)[:, None] == np.array(known)[None, :]).astype(np.float64)
    return found


def _number(examples: Sequence[Example], feature: Callable[[str], float]) -> NDArray[Any]:
    return np.array([feature(example.text) for example in examples], dtype=np.float64)
