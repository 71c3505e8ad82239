"""What a data set is made of, and what in it gives the class away.

Files are read once and never held. A shortcut is measured by fitting a small tree to one outward
property and scoring it on texts that it has not seen. The network will find what the tree finds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Label
from tinyguardrail_sdk.training.data.advice import warnings_of
from tinyguardrail_sdk.training.data.copies import Copies
from tinyguardrail_sdk.training.data.drawn import Drawn
from tinyguardrail_sdk.training.data.jsonl import ROW_FORM, data_files
from tinyguardrail_sdk.training.data.kept import NOTHING, Kept, key_of
from tinyguardrail_sdk.training.data.labelled import rows_of_files
from tinyguardrail_sdk.training.data.report import Summary
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.split import origin_of
from tinyguardrail_sdk.training.data.surface import Columns, columns, kinds
from tinyguardrail_sdk.training.progress import Progress
from tinyguardrail_sdk.training.roc import auroc

TOGETHER = "all together"

_MOST_FITTED = 50_000  # rows that trees are fitted to, drawn by seed
_MOST_DESCRIBED = 20_000  # rows whose lengths, surface and word n-grams are described
_FOLDS = 5
_DEPTH = 6
_SMALLEST_LEAF = 10


@dataclass(frozen=True)
class AuditConfig:
    """What is described.

    Attributes:
        paths: JSON-lines files and folders of them.
        near: Share of five-word runs from which two texts count as copies, 0.3..1.
        seed: Of what is drawn where not all rows are looked at.
    """

    paths: tuple[Path, ...]
    near: float = 0.8
    seed: int = 7

    def __post_init__(self) -> None:
        if not self.paths:
            raise InputError("paths is empty: give JSON-lines files or folders of them")
        if not 0.3 <= self.near <= 1:
            raise InputError(f"near={self.near} must be in 0.3..1; 0.8 is usual")


def audit(config: AuditConfig, progress: Progress, kept: Kept = NOTHING) -> dict[str, Any]:
    """Describe files of rows to learn from.

    Args:
        config: What to do.
        progress: Told the bytes of the files read so far and of all.
        kept: Where what is found of copies is kept, and that of an interrupted run taken up.

    Returns:
        Everything of `report.Summary`, and `no_class` (plain requests, not looked at), `copies`
        (shares), classes `across` upstream, language, format, ending, script and source,
        `shortcuts_fitted` (see `fitted`) and `warnings` in words.

    Raises:
        InputError: A line is no row, is for evaluation only, or there is none.
        FileNotFoundError: A file does not exist.
    """
    files = list(data_files(config.paths))
    summary, drawn = Summary(_MOST_DESCRIBED), Drawn(_MOST_FITTED, config.seed)
    reasons = Counter[str]()
    across: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    no_class = 0
    for example, reason in _with_reasons(files, config, progress, kept):
        if example is None:
            no_class += 1
            continue
        summary.add(example)
        drawn.add(example)
        reasons[reason] += 1
        told = {"upstream": origin_of(example), "language": example.language, **kinds(example)}
        for name, value in told.items():
            across[name][value][str(example.label)] += 1
    if not drawn.passed:
        raise InputError(
            f"no row with a class in {', '.join(map(str, config.paths))}; {ROW_FORM}; "
            f"labels: {', '.join(LABELS)}"
        )
    del reasons[""]
    report = {
        **summary.to_dict(),
        "no_class": no_class,
        "copies": {name: round(n / drawn.passed, 5) for name, n in reasons.most_common()},
        "across": {name: _frequent_first(table) for name, table in across.items()},
        "shortcuts_fitted": fitted(drawn.rows, config.seed),
    }
    return {**report, "warnings": warnings_of(report)}


def _with_reasons(
    files: Sequence[Path], config: AuditConfig, progress: Progress, kept: Kept
) -> Iterator[tuple[Example | None, str]]:
    """Rows, None for one of no class, and why each is a copy."""
    with kept.journal(partial(key_of, config, files)) as journal:
        copies = Copies(config.near, journal=journal)
        for _, _, example in rows_of_files(files, progress):
            yield example, "" if example is None else copies.reason(example)


def fitted(examples: Sequence[Example], seed: int) -> dict[str, Any]:
    """Score a small tree on each outward property alone, and on all together.

    Args:
        examples: Rows; classes too small to be in every fold are left out.
        seed: Of the folds.

    Returns:
        `rows`, `majority` (share of the largest class), and by property `auroc` of attack against
        benign (None with one of them only) and `accuracy` over the classes, cross-validated. Empty
        where there are too few rows to tell.
    """
    counts = Counter(example.label for example in examples)
    rows = [example for example in examples if counts[example.label] >= _FOLDS * _SMALLEST_LEAF]
    labels = np.array([LABELS.index(example.label) for example in rows])
    if len(set(labels)) < 2:
        return {}
    parts = columns(rows)
    parts[TOGETHER] = np.concatenate(list(parts.values()), axis=1)
    return {
        "rows": len(rows),
        "majority": round(float(np.bincount(labels).max() / len(labels)), 4),
        "by": {name: _scored(values, labels, seed) for name, values in parts.items()},
    }


def _scored(values: Columns, labels: NDArray[Any], seed: int) -> dict[str, float | None]:
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(
        max_depth=_DEPTH, min_samples_leaf=_SMALLEST_LEAF, random_state=seed
    )
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    # Column k belongs to the k-th class that is present.
    scores = cross_val_predict(tree, values, labels, cv=folds, method="predict_proba")
    present = np.unique(labels)
    benign = LABELS.index(Label.BENIGN)
    risk = 1 - scores[:, present == benign].sum(axis=1)
    told = auroc(labels != benign, risk)
    return {
        "auroc": None if told is None else round(told, 4),
        "accuracy": round(float((present[scores.argmax(axis=1)] == labels).mean()), 4),
    }


def _frequent_first(table: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    """Rows by value and class, the most frequent value first."""
    ordered = sorted(table.items(), key=lambda item: -item[1].total())
    return {value: dict(counts) for value, counts in ordered}
