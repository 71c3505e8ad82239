"""Whether one checkpoint is worse than another, text by text, on the same set.

The built-in set was written by this package's own generator from frames that training never sees
(`tinyguardrail data generate`, test split), so it is fair to every checkpoint trained with it.
Both checkpoints judge every text, each by its own thresholds; a group of texts is worse where more
answers turned wrong than turned right, by more than chance explains (McNemar's exact test).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Mode
from tinyguardrail_sdk.manifest import load_manifest
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.data.kept import NOTHING, Kept
from tinyguardrail_sdk.training.evaluate import reaches_threshold
from tinyguardrail_sdk.training.judging import judge_texts
from tinyguardrail_sdk.training.progress import PartsProgress, part_of
from tinyguardrail_sdk.training.rows import Row

REGRESSION_SET: Final = Path(__file__).parent / "assets" / "regression.jsonl.gz"


@dataclass(frozen=True)
class Gate:
    """When a checkpoint counts as worse.

    Attributes:
        mode: Whose thresholds decide.
        chance: A loss this likely to be chance is none, in any one group.
        tolerance: Share of a group's texts that may turn wrong on balance all the same.
    """

    mode: Mode = Mode.BALANCED
    chance: float = 0.01
    tolerance: float = 0.005

    def __post_init__(self) -> None:
        if not 0 < self.chance < 1:
            raise InputError(f"chance={self.chance} must be in (0, 1); 0.01 is usual")
        if not 0 <= self.tolerance < 1:
            raise InputError(f"tolerance={self.tolerance} must be in [0, 1); 0.005 is usual")


@dataclass(frozen=True)
class Change:
    """One group of texts under both checkpoints.

    Attributes:
        texts: How many.
        before: Decided rightly by the old checkpoint.
        after: Decided rightly by the new one.
        broken: Right before and wrong now.
        mended: Wrong before and right now.
        chance: Probability of at least so many broken ones if breaking and mending were equally
            likely.
        worse: Whether the gate counts the group as a regression.
    """

    texts: int
    before: int
    after: int
    broken: int
    mended: int
    chance: float
    worse: bool

    def to_dict(self) -> dict[str, Any]:
        """JSON types; shares with 95 % Wilson intervals."""
        return {
            "texts": self.texts,
            "before": metrics.rate(self.before, self.texts).to_dict(),
            "after": metrics.rate(self.after, self.texts).to_dict(),
            "broken": self.broken,
            "mended": self.mended,
            "chance": round(self.chance, 6),
            "worse": self.worse,
        }


def compare(
    new: Path,
    old: Path,
    rows: Sequence[Row],
    gate: Gate,
    *,
    workers: int = 1,
    progress: PartsProgress | None = None,
    kept: Kept = NOTHING,
) -> dict[str, Change]:
    """Judge the rows with both checkpoints.

    Args:
        new: Checkpoint that may be released.
        old: Checkpoint that it would replace.
        rows: Texts of the four classes.
        gate: What counts as worse.
        workers: Processes that judge.
        progress: Called with "old" or "new", rows done and rows in all.
        kept: Where answers are kept, and those of an interrupted run taken up.

    Returns:
        A change for `all`, and by class, source, language and, of several, set as `class/benign`
        and so on. Right is a decision to block an attack, and to let a benign text pass.

    Raises:
        CheckpointError: A checkpoint cannot be used.
        InputError: A row is of none of the four classes, or there is none.
    """
    if not rows:
        raise InputError(f"no text of a class to compare on; known: {', '.join(LABELS)}")
    if odd := sorted({row.label for row in rows if not row.has_class}):
        raise InputError(f"a row of class {odd[0]}; known: {', '.join(LABELS)}")
    verdicts = {
        name: _right(path, rows, gate.mode, workers, name, progress, kept)
        for name, path in (("old", old), ("new", new))
    }
    return {
        group: _change(verdicts["old"][chosen], verdicts["new"][chosen], gate)
        for group, chosen in _groups(rows).items()
    }


def worse(changes: dict[str, Change]) -> list[str]:
    """Names of the groups that got worse."""
    return [group for group, change in changes.items() if change.worse]


def summary(changes: dict[str, Change]) -> dict[str, Any]:
    """The names of the groups that got worse, and every change, as JSON types."""
    by_group = {group: change.to_dict() for group, change in changes.items()}
    return {"worse": worse(changes), "changes": by_group}


def _right(
    checkpoint: Path,
    rows: Sequence[Row],
    mode: Mode,
    workers: int,
    name: str,
    progress: PartsProgress | None,
    kept: Kept,
) -> NDArray[np.bool_]:
    scores, _ = judge_texts(
        checkpoint,
        rows,
        workers=workers,
        progress=part_of(progress, name),
        kept=kept.named(name),
    )
    blocked = reaches_threshold(rows, scores, load_manifest(checkpoint), mode)
    attack = np.array([row.label != str(LABELS[0]) for row in rows])
    right: NDArray[np.bool_] = blocked == attack
    return right


def _groups(rows: Sequence[Row]) -> dict[str, NDArray[np.bool_]]:
    groups = {"all": np.ones(len(rows), bool)}
    keys: dict[str, Callable[[Row], str]] = {
        "class": lambda row: row.label,
        "source": lambda row: str(row.source),
        "language": lambda row: row.language,
    }
    if len({row.set for row in rows}) > 1:
        keys["set"] = lambda row: row.set
    for name, key in keys.items():
        values = np.array([key(row) for row in rows])
        groups |= {f"{name}/{value}": values == value for value in np.unique(values)}
    return groups


def _change(before: NDArray[np.bool_], after: NDArray[np.bool_], gate: Gate) -> Change:
    broken, mended = int(np.sum(before & ~after)), int(np.sum(~before & after))
    moved = broken + mended
    chance = float(binomtest(broken, moved, alternative="greater").pvalue) if moved else 1.0
    lost = broken - mended > gate.tolerance * len(before)
    return Change(
        texts=len(before),
        before=int(before.sum()),
        after=int(after.sum()),
        broken=broken,
        mended=mended,
        chance=chance,
        worse=lost and chance < gate.chance,
    )
