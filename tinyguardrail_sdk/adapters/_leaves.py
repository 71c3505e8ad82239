"""Texts in values whose form nobody knows."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import Any

# Inside what is not known, these are no words of the model.
_CODES = {"index", "id", "type", "format", "signature", "encrypted_content"}


def further(fields: Mapping[str, Any], known: Collection[str]) -> Iterator[tuple[Hashable, str]]:
    """Yield every text under keys that are not known, each with its place."""
    return _leaves({key: value for key, value in fields.items() if key not in known}, ())


def _leaves(value: Any, place: tuple[Hashable, ...]) -> Iterator[tuple[Hashable, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping | list):
        for key, each in value.items() if isinstance(value, Mapping) else enumerate(value):
            if key not in _CODES:
                yield from _leaves(each, (*place, key))
