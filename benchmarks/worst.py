"""The worst errors of a checkpoint, and what they have in common, for a person to look into."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.evaluate import GROUPINGS
from tinyguardrail_sdk.training.rows import Row

SHOWN = 80  # characters of a text
# What errors may have in common, by the name that `Error` has it under.
PROPERTIES: Mapping[str, Callable[[Row], str]] = {
    "technique": lambda row: row.kind.split(":")[0],
    **{name: GROUPINGS[name] for name in ("source", "length", "language")},
}
_COMMON, _VALUES = 2, 3  # errors that make a value worth a line, and lines of a property at most
_REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Error:
    """One wrong decision.

    Attributes:
        kind: `flagged` of a harmless text, `missed` of an attack.
        set: Name of the file.
        row: Place in the set, from 1.
        label: What the set says.
        technique: Kind of attack or harmless text, as the set says, without details.
        source: Where the text was judged to come from.
        length: Class of length, as in the tables.
        language: ISO 639-1 code.
        risk: What the checkpoint says.
        start: The first characters of the text, without what a terminal would obey.
    """

    kind: str
    set: str
    row: int
    label: str
    technique: str
    source: str
    length: str
    language: str
    risk: float
    start: str


@dataclass(frozen=True)
class Shared:
    """What several of the worst errors of one kind have in common.

    Attributes:
        kind: Of the errors.
        property: One of `PROPERTIES`.
        value: What they have of it.
        errors: How many of the errors have it.
        of_errors: Errors of that kind.
        texts: How many texts have it that could have been such errors: harmless texts or attacks.
        of_texts: Such texts in all.
    """

    kind: str
    property: str
    value: str
    errors: int
    of_errors: int
    texts: int
    of_texts: int


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
    attack = np.array([_is_attack(row) for row in rows], bool)
    known = np.array([row.has_class for row in rows], bool)
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
                    **{name: value(row) for name, value in PROPERTIES.items()},
                    risk=float(risk[place]),
                    start=start,
                )


def shared(errors: Sequence[Error], rows: Sequence[Row]) -> Iterator[Shared]:
    """What the errors of each kind have in common, the most frequent values of a property first.

    Args:
        errors: Some of those in `rows`, such as the worst.
        rows: All that was judged; a value that most of them have says little of the errors.
    """
    for kind, attack in (("flagged", False), ("missed", True)):
        found = [error for error in errors if error.kind == kind]
        texts = [row for row in rows if row.has_class and _is_attack(row) == attack]
        for name, value in PROPERTIES.items():
            among_all = Counter(map(value, texts))
            among_errors = Counter(getattr(error, name) for error in found)
            for which, count in among_errors.most_common(_VALUES):
                if count >= _COMMON:
                    yield Shared(kind, name, which, count, len(found), among_all[which], len(texts))


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


def _is_attack(row: Row) -> bool:
    return row.label != Label.BENIGN
