"""What a data set is made of, and what in it gives the class away.

A shortcut is measured by fitting a small tree to one outward property and scoring it on texts that
it has not seen. The network will find what the tree finds.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Label
from tinyguardrail_sdk.training.data.advice import warnings_of
from tinyguardrail_sdk.training.data.copies import Copies
from tinyguardrail_sdk.training.data.jsonl import data_files
from tinyguardrail_sdk.training.data.labelled import labelled_rows
from tinyguardrail_sdk.training.data.report import Summary, auroc
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.split import upstream_of
from tinyguardrail_sdk.training.data.surface import Columns, columns, kinds

Progress = Callable[[int, int], None]

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


def audit(config: AuditConfig, progress: Progress) -> dict[str, Any]:
    """Describe files of rows to learn from.

    Args:
        config: What to do.
        progress: Told the files read so far and of all.

    Returns:
        Everything of `report.Summary`, and `no_class` (plain requests, not looked at), `copies`
        (shares), classes `across` upstream, language, format, ending, script and source,
        `shortcuts_fitted` (see `fitted`) and `warnings` in words.

    Raises:
        InputError: A line is no row, is for evaluation only, or there is none.
        FileNotFoundError: A file does not exist.
    """
    files = list(data_files(config.paths))
    examples: list[Example] = []
    no_class = 0
    for number, path in enumerate(files):
        progress(number, len(files))
        for _, example in labelled_rows(path):
            if example is None:
                no_class += 1
            else:
                examples.append(example)
    progress(len(files), len(files))
    if not examples:
        raise InputError(f"no row with a class in {', '.join(map(str, config.paths))}")
    words = kinds(examples)
    summary = Summary(_MOST_DESCRIBED)
    for example in examples:
        summary.add(example)
    report = {
        **summary.to_dict(),
        "no_class": no_class,
        "copies": _copies(examples, config.near),
        "across": {
            "upstream": _across(examples, [_upstream(example) for example in examples]),
            "language": _across(examples, [example.language for example in examples]),
            **{name: _across(examples, values) for name, values in words.items()},
        },
        "shortcuts_fitted": fitted(examples, words, config.seed),
    }
    return {**report, "warnings": warnings_of(report)}


def fitted(
    examples: Sequence[Example], words: Mapping[str, Sequence[str]], seed: int
) -> dict[str, Any]:
    """Score a small tree on each outward property alone, and on all together.

    Args:
        examples: N rows; at most 50,000 are drawn.
        words: Their `surface.kinds`.
        seed: Of the draw and the folds.

    Returns:
        `rows`, `majority` (share of the largest class), and by property `auroc` of attack against
        benign (None with one of them only) and `accuracy` over the classes, cross-validated. Empty
        where there are too few rows to tell.
    """
    chosen = _draw(examples, seed)
    labels = np.array([LABELS.index(examples[i].label) for i in chosen])
    if len(set(labels)) < 2:
        return {}
    rows = [examples[i] for i in chosen]
    parts = columns(rows, {k: [values[i] for i in chosen] for k, values in words.items()})
    parts[TOGETHER] = np.concatenate(list(parts.values()), axis=1)
    return {
        "rows": len(rows),
        "majority": round(float(np.bincount(labels).max() / len(labels)), 4),
        "by": {name: _scored(values, labels, seed) for name, values in parts.items()},
    }


def _draw(examples: Sequence[Example], seed: int) -> list[int]:
    """Numbers of rows to fit to; classes too small to be in every fold are left out."""
    counts = Counter(example.label for example in examples)
    able = [i for i, e in enumerate(examples) if counts[e.label] >= _FOLDS * _SMALLEST_LEAF]
    drawn = random.Random(seed).sample(able, min(len(able), _MOST_FITTED))
    return sorted(drawn)


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
    told = auroc(risk, labels != benign)
    return {
        "auroc": round(told, 4) if told == told else None,  # nan where all are attacks
        "accuracy": round(float((present[scores.argmax(axis=1)] == labels).mean()), 4),
    }


def _copies(examples: Sequence[Example], near: float) -> dict[str, float]:
    copies = Copies(near)
    reasons = Counter(copies.reason(example) for example in examples)
    del reasons[""]
    return {name: round(count / len(examples), 5) for name, count in reasons.most_common()}


def _upstream(example: Example) -> str:
    return "own" if example.terms == "own" else upstream_of(example)


def _across(examples: Sequence[Example], values: Sequence[str]) -> dict[str, dict[str, int]]:
    """Rows by value and class, the most frequent value first."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for example, value in zip(examples, values, strict=True):
        table[value][str(example.label)] += 1
    ordered = sorted(table.items(), key=lambda item: -item[1].total())
    return {value: dict(counts) for value, counts in ordered}
