"""Thinning a set: caps by upstream, shares by class, a total; what is dropped is drawn by seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from typing import NamedTuple

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Label


class Candidate(NamedTuple):
    """What is remembered of a row that may stay.

    Attributes:
        file: Number of its file.
        line: Its line there, from 1.
        label: Its class.
        terms: Its licence group.
        upstream: Where it comes from; `own` for what this package generated.
        split: The part it belongs to.
        draw: Decides what goes first when rows must go: the highest.
    """

    file: int
    line: int
    label: Label
    terms: str
    upstream: str
    split: str
    draw: int


def over_caps(rows: Iterable[Candidate], caps: Mapping[str, int]) -> set[Candidate]:
    """Rows beyond the most that their upstream may have.

    Args:
        rows: All of them.
        caps: Most rows by upstream, * as wildcard; the first pattern that fits decides.

    Raises:
        InputError: No upstream fits a pattern.
    """
    capped: dict[str, list[Candidate]] = defaultdict(list)
    upstreams = set()
    for row in rows:
        upstreams.add(row.upstream)
        if (pattern := next((p for p in caps if fnmatch(row.upstream, p)), None)) is not None:
            capped[pattern].append(row)
    if unused := [pattern for pattern in caps if pattern not in capped]:
        found = ", ".join(sorted(upstreams))
        raise InputError(f"no upstream fits the cap {unused[0]}; there are: {found}")
    return {row for p, group in capped.items() for row in sorted(group, key=_draw)[caps[p] :]}


def out_of_balance(
    rows: Sequence[Candidate], shares: Mapping[Label, float], total: int
) -> set[Candidate]:
    """Rows that must go for the shares (see `wanted_counts`) and the total (0 for no limit)."""
    groups: dict[Label, list[Candidate]] = defaultdict(list)
    for row in rows:
        groups[row.label].append(row)
    have = {label: len(group) for label, group in groups.items()}
    wanted = wanted_counts(have, shares, total)
    return {row for k, group in groups.items() for row in sorted(group, key=_draw)[wanted[k] :]}


def wanted_counts(
    have: Mapping[Label, int], shares: Mapping[Label, float], total: int
) -> dict[Label, int]:
    """Rows of each class: the most that the shares allow.

    Args:
        have: Rows there are.
        shares: Wanted share by class, 0..1; the classes left out divide the rest as they are.
        total: Most rows of all classes; 0 for no limit.

    Raises:
        InputError: A class with a wanted share has no row, or no class has both.
    """
    if missing := [label for label, share in shares.items() if share and not have.get(label)]:
        raise InputError(f"no row of class {missing[0]} is left: add some, or leave out its share")
    rest = sum(count for label, count in have.items() if label not in shares)
    left = max(0.0, 1 - sum(shares.values()))
    parts = {label: shares.get(label, left * count / max(rest, 1)) for label, count in have.items()}
    whole = sum(parts.values())
    if not whole:
        raise InputError("the shares leave no row: raise the share of a class that has rows")
    size = min(have[label] * whole / part for label, part in parts.items() if part)
    size = min(size, total) if total else size
    return {label: min(have[label], round(size * part / whole)) for label, part in parts.items()}


def _draw(row: Candidate) -> int:
    return row.draw
