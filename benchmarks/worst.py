"""The worst errors of a checkpoint, for a person who looks into them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.labels import LABELS, Label
from tinyguardrail_sdk.training.rows import Row

SHOWN = 80  # characters of a text
_REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Error:
    """One wrong decision.

    Attributes:
        kind: `flagged` of a harmless text, `missed` of an attack.
        set: Name of the file.
        row: Place in the set, from 1.
        label: What the set says.
        source: Where the text was judged to come from.
        risk: What the checkpoint says.
        start: The first characters of the text, without what a terminal would obey.
    """

    kind: str
    set: str
    row: int
    label: str
    source: str
    risk: float
    start: str


def worst(
    rows: Sequence[Row],
    numbers: Sequence[int],
    risk: NDArray[np.float64],
    flagged: NDArray[np.bool_],
    most: int,
) -> Iterator[Error]:
    """Set by set, the harmless texts flagged with the highest risk, and the attacks of the lowest.

    Args:
        rows: What was judged; those of no class are no errors, whatever was decided.
        numbers: Of the rows in their sets.
        risk: (rows,) of an attack.
        flagged: (rows,) what was decided.
        most: Errors of each kind in a set.
    """
    attack = np.array([row.label != Label.BENIGN for row in rows], bool)
    known = np.array([row.label in tuple(map(str, LABELS)) for row in rows], bool)
    sets = np.array([row.set for row in rows])
    kinds = (("flagged", ~attack & flagged, -risk), ("missed", attack & ~flagged, risk))
    for name in dict.fromkeys(sets.tolist()):
        for kind, wrong, order in kinds:
            places = np.flatnonzero(known & wrong & (sets == name))
            for place in places[np.argsort(order[places], kind="stable")][:most]:
                row = rows[place]
                start = printable(row.text[:SHOWN])
                yield Error(
                    kind,
                    name,
                    numbers[place],
                    row.label,
                    str(row.source),
                    float(risk[place]),
                    start,
                )


def printable(text: str) -> str:
    """The text on one line, with escapes for what is not printed (controls, marks of direction)."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def in_repository(path: Path) -> bool:
    """Whether a file would lie in this repository, where other people's texts do not belong."""
    return path.resolve().is_relative_to(_REPOSITORY)


def write(path: Path, errors: Sequence[Error]) -> None:
    """Write errors as JSON lines."""
    lines = (json.dumps(asdict(error), ensure_ascii=False) + "\n" for error in errors)
    path.write_text("".join(lines), encoding="utf-8", errors="backslashreplace")
