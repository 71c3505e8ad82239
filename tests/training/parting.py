"""A small set parted in memory, as `write_parts` does it on disk."""

from __future__ import annotations

from collections.abc import Iterable

from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.split import FROM_TEST, HeldOut, assigned_split


def split(examples: Iterable[Example]) -> dict[str, list[Example]]:
    rows = list(examples)
    held_out, parts = HeldOut(), {}
    for part in FROM_TEST:
        own = [example for example in rows if assigned_split(example) == part]
        parts[part] = [example for example in own if held_out.admits(example, part)]
        held_out.close()
    return parts
