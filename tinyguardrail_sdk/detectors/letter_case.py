"""Words in odd case, as in `iGnOrE aLl pReViOuS`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from tinyguardrail_sdk.detectors import english
from tinyguardrail_sdk.detectors.nearby import Odd, stretches
from tinyguardrail_sdk.detectors.respelling import Respelled

# The words of a name in camel case.
HUMPS = re.compile(r"[A-Z]+(?![a-z'])|[A-Z]?[a-z']+")

_INSIDE = re.compile(r"[A-Z](?<=[a-z].)")
_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]{3,24}(?![A-Za-z])")
_LEAST = 3  # words near one another


def find(text: str) -> Iterator[Respelled]:
    """Lines with several words in odd case, in lower case; weight in words."""
    if len(list(islice(_INSIDE.finditer(text), _LEAST))) < _LEAST:
        return
    odd = (
        Odd(*word.span(), 1, word.group().lower())
        for word in _WORD.finditer(text)
        if _is_odd(word.group())
    )
    for stretch in stretches(text, odd, _LEAST):
        view = english.lower(text[stretch.start : stretch.end])
        yield Respelled(stretch.start, stretch.end, stretch.weight, view)


def _is_odd(word: str) -> bool:
    """Whether a known word is written neither in one case, nor as a name or as words in camel."""
    if not _INSIDE.search(word) or not english.is_word(word.lower()):
        return False
    return not all(english.is_word(hump.lower()) for hump in HUMPS.findall(word))
