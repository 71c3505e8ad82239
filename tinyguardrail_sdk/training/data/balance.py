"""Thinning a set: caps by upstream, shares by class, a total; what is dropped is drawn by seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Label

# What is remembered of a row that may stay: number of its file, its line there from 1, indices of
# its class, licence group, upstream and part, and what decides which rows go first: the highest.
CANDIDATE: Final = np.dtype(
    [("file", "<u4"), ("line", "<u4"), ("label", "u1"), ("terms", "u1"), ("upstream", "<u4"),
     ("split", "u1"), ("draw", "<u8")]
)  # fmt: skip
Candidates = NDArray[Any]
Surplus = NDArray[np.bool_]


def over_caps(rows: Candidates, upstreams: Sequence[str], caps: Mapping[str, int]) -> Surplus:
    """Rows beyond the most that their upstream may have.

    Args:
        rows: (rows,) `CANDIDATE`.
        upstreams: Names by the rows' index; `own` for what this package generated.
        caps: Most rows by upstream, * as wildcard; the first pattern that fits decides.

    Raises:
        InputError: No upstream fits a pattern.
    """
    capped: dict[str, list[int]] = defaultdict(list)
    present = np.unique(rows["upstream"]).tolist()
    for upstream in present:
        if pattern := next((p for p in caps if fnmatch(upstreams[upstream], p)), None):
            capped[pattern].append(upstream)
    if unused := [pattern for pattern in caps if pattern not in capped]:
        found = ", ".join(sorted(upstreams[upstream] for upstream in present))
        raise InputError(f"no upstream fits the cap {unused[0]}; there are: {found}")
    surplus = np.zeros(len(rows), bool)
    for pattern, group in capped.items():
        surplus |= _beyond(rows, np.isin(rows["upstream"], group), caps[pattern])
    return surplus


def out_of_balance(rows: Candidates, shares: Mapping[Label, float], total: int) -> Surplus:
    """Rows that must go for the shares (see `wanted_counts`) and the total (0 for no limit)."""
    counts = np.bincount(rows["label"], minlength=len(LABELS))
    have = {label: int(n) for label, n in zip(LABELS, counts, strict=True) if n}
    surplus = np.zeros(len(rows), bool)
    for label, most in wanted_counts(have, shares, total).items():
        surplus |= _beyond(rows, rows["label"] == LABELS.index(label), most)
    return surplus


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


def _beyond(rows: Candidates, group: Surplus, most: int) -> Surplus:
    """Of the rows of a group, those beyond the `most` with the lowest draw."""
    places = np.flatnonzero(group)
    beyond = np.zeros(len(rows), bool)
    beyond[places[np.argsort(rows["draw"][places], kind="stable")[most:]]] = True
    return beyond
