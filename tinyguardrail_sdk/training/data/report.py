"""What a training set is made of, and what a lazy model could learn from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from tinyguardrail_sdk.labels import LABELS, Label
from tinyguardrail_sdk.training.data.diversity import diversity
from tinyguardrail_sdk.training.data.drawn import Drawn
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.surface import NUMBERS
from tinyguardrail_sdk.training.roc import auroc

_KEYS: Mapping[str, Callable[[Example], str]] = MappingProxyType(
    {
        "label": lambda example: str(example.label),
        "technique": lambda example: example.technique,
        "source": lambda example: str(example.source),
        "source_label": lambda example: f"{example.source}/{example.label}",
        "language": lambda example: example.language,
        "terms": lambda example: example.terms,
    }
)
_QUANTILES = (5, 25, 50, 75, 95, 99)


class Summary:
    """Describes a set that passes by row by row.

    Args:
        most: Rows at most, drawn evenly, that are kept for what needs texts.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._drawn = Drawn(most)
        self._counts = {name: Counter[str]() for name in _KEYS}
        self._families: dict[str, set[str]] = {str(label): set() for label in LABELS}

    def add(self, example: Example) -> None:
        """Take notice of a row."""
        for name, key in _KEYS.items():
            self._counts[name][key(example)] += 1
        self._families[example.label].add(example.family)
        self._drawn.add(example)

    def to_dict(self) -> dict[str, Any]:
        """JSON types.

        Returns:
            Of all rows: `rows`; `by` label, technique, source, language, terms (counts) and source
            by label; `families`. Of the `drawn` ones: `diversity` (distinct word n-grams) of all,
            of the benign and of the attacks; `chars` quantiles by label; `shortcuts`: AUROC of
            attack against benign for surface features alone. 0.5 is what a feature without
            information gives.
        """
        by = {name: dict(counts.most_common()) for name, counts in self._counts.items()}
        by["label"] = {str(label): by["label"].get(label, 0) for label in LABELS}
        kept = self._drawn.rows
        groups = {str(label): [e for e in kept if e.label is label] for label in LABELS}
        attacks = [e for e in kept if e.label is not Label.BENIGN]
        return {
            "rows": self._drawn.passed,
            "by": by,
            "families": {name: len(families) for name, families in self._families.items()},
            "drawn": len(kept),
            "diversity": {
                "all": diversity(kept),
                "benign": diversity(groups["benign"]),
                "attack": diversity(attacks),
            },
            "chars": {k: _quantiles([len(e.text) for e in rows]) for k, rows in groups.items()},
            "shortcuts": shortcuts(kept),
        }


def shortcuts(examples: Sequence[Example]) -> dict[str, float]:
    """AUROC of surface features for attack against benign, and within each source for length.

    A source with one class only is left out.
    """
    is_attack = np.array([e.label is not Label.BENIGN for e in examples])
    found: dict[str, float | None] = {}
    for name, feature in NUMBERS.items():
        values = np.array([feature(e.text) for e in examples], dtype=np.float64)
        found[name] = auroc(is_attack, values)
        if name == "length":
            for source in sorted({str(e.source) for e in examples}):
                mask = np.array([str(e.source) == source for e in examples])
                found[f"length/{source}"] = auroc(is_attack[mask], values[mask])
    return {name: round(value, 4) for name, value in found.items() if value is not None}


def _quantiles(lengths: list[int]) -> dict[str, int]:
    if not lengths:
        return {}
    values = np.percentile(lengths, _QUANTILES)
    return {f"p{q}": int(value) for q, value in zip(_QUANTILES, values, strict=True)}
