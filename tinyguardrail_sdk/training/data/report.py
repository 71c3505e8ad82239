"""What a training set is made of, and what a lazy model could learn from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyguardrail_sdk.labels import LABELS, Label
from tinyguardrail_sdk.training.data.diversity import diversity
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.surface import NUMBERS

_QUANTILES = (5, 25, 50, 75, 95, 99)


def summarise(examples: Sequence[Example], most_diverse: int = 0) -> dict[str, Any]:
    """Describe a set.

    Args:
        examples: The set.
        most_diverse: Rows at most that word n-grams are counted in, evenly spread; 0 takes all.

    Returns:
        `rows`; `by` label, technique, source, language, terms (counts) and source by label;
        `families`; `diversity` (distinct word n-grams) of all, of the benign and of the attacks;
        `chars` quantiles by label; `shortcuts`: AUROC of attack against benign for surface
        features alone. 0.5 is what a feature without information gives.
    """
    groups = {str(label): [e for e in examples if e.label is label] for label in LABELS}
    attacks = [e for e in examples if e.label is not Label.BENIGN]
    return {
        "rows": len(examples),
        "by": {
            "label": {name: len(rows) for name, rows in groups.items()},
            "technique": _counts(examples, lambda e: e.technique),
            "source": _counts(examples, lambda e: str(e.source)),
            "source_label": _counts(examples, lambda e: f"{e.source}/{e.label}"),
            "language": _counts(examples, lambda e: e.language),
            "terms": _counts(examples, lambda e: e.terms),
        },
        "families": {name: len({e.family for e in rows}) for name, rows in groups.items()},
        "diversity": {
            "all": diversity(_spread(examples, most_diverse)),
            "benign": diversity(_spread(groups["benign"], most_diverse)),
            "attack": diversity(_spread(attacks, most_diverse)),
        },
        "chars": {name: _quantiles([len(e.text) for e in rows]) for name, rows in groups.items()},
        "shortcuts": shortcuts(examples),
    }


def shortcuts(examples: Sequence[Example]) -> dict[str, float]:
    """AUROC of surface features for attack against benign, and within each source for length.

    A source with one class only is left out.
    """
    is_attack = np.array([e.label is not Label.BENIGN for e in examples])
    found = {}
    for name, feature in NUMBERS.items():
        values = np.array([feature(e.text) for e in examples], dtype=np.float64)
        found[name] = auroc(values, is_attack)
        if name == "length":
            for source in sorted({str(e.source) for e in examples}):
                mask = np.array([str(e.source) == source for e in examples])
                found[f"length/{source}"] = auroc(values[mask], is_attack[mask])
    return {name: round(value, 4) for name, value in found.items() if value == value}  # no nan


def auroc(scores: np.ndarray[Any, Any], positive: np.ndarray[Any, Any]) -> float:
    """Probability that a positive scores above a negative, ties half; nan with one class only."""
    order = np.argsort(scores, kind="stable")
    _, inverse, counts = np.unique(scores[order], return_inverse=True, return_counts=True)
    # Mean rank of every group of ties.
    ends = np.cumsum(counts)
    ranks = np.empty(len(scores))
    ranks[order] = (ends - (counts - 1) / 2)[inverse]
    n = int(positive.sum())
    m = len(positive) - n
    if n == 0 or m == 0:
        return float("nan")
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))


def _spread(examples: Sequence[Example], most: int) -> Sequence[Example]:
    return examples[:: -(-len(examples) // most)] if 0 < most < len(examples) else examples


def _counts(examples: Sequence[Example], key: Callable[[Example], str]) -> dict[str, int]:
    return dict(Counter(map(key, examples)).most_common())


def _quantiles(lengths: list[int]) -> dict[str, int]:
    if not lengths:
        return {}
    values = np.percentile(lengths, _QUANTILES)
    return {f"p{q}": int(value) for q, value in zip(_QUANTILES, values, strict=True)}
