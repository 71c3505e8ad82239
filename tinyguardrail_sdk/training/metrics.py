"""The numbers by which a model is judged. NumPy in, plain numbers out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from tinyguardrail_sdk.labels import LABELS
from tinyguardrail_sdk.training import roc

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

_CLASSES = np.arange(len(LABELS))


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % Wilson interval.

    Attributes:
        hits: How many.
        total: Of how many.
        low: Lower end of the interval; 0 where `total` is 0.
        high: Upper end of the interval; 1 where `total` is 0.
    """

    hits: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share itself; not a number where `total` is 0."""
        return self.hits / self.total if self.total else math.nan

    def to_dict(self) -> dict[str, float | int | None]:
        """The rate as JSON types."""
        value = None if not self.total else round(self.value, 5)
        ends = {"low": round(self.low, 5), "high": round(self.high, 5)}
        return {"hits": self.hits, "total": self.total, "rate": value, **ends}


def rate(hits: int, total: int, z: float = 1.959964) -> Rate:
    """A share with its Wilson score interval (Wilson 1927)."""
    if not total:
        return Rate(0, 0, 0.0, 1.0)
    share = hits / total
    scale = 1 + z * z / total
    middle = (share + z * z / (2 * total)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return Rate(hits, total, max(0.0, middle - half), min(1.0, middle + half))


def classification(labels: Ints, predicted: Ints) -> dict[str, Any]:
    """Accuracy, macro F1 over the classes that occur, a report per class, and the confusion.

    Args:
        labels: (N,) true class ids.
        predicted: (N,) class ids.

    Returns:
        JSON types; `confusion[i][j]` counts texts of class i called class j.
    """
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        labels, predicted, labels=_CLASSES, zero_division=0.0
    )
    per_class = {
        str(label): {
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
            "support": int(support[i]),
        }
        for i, label in enumerate(LABELS)
    }
    return {
        "accuracy": float(np.mean(labels == predicted)) if len(labels) else 0.0,
        "macro_f1": float(f1[support > 0].mean()) if len(labels) else 0.0,
        "per_class": per_class,
        "confusion": sk.confusion_matrix(labels, predicted, labels=_CLASSES).tolist(),
    }


def f1(hits: int, misses: int, alarms: int) -> float | None:
    """Harmonic mean of precision and recall, or None where there is no attack."""
    return 2 * hits / (2 * hits + misses + alarms) if hits + misses else None


def threshold_at(benign_risk: Floats, false_alarms: float) -> float:
    """Smallest threshold at which at most this share of benign texts has risk >= threshold.

    Returns:
        A number just above the risk of the first text that must pass; 0 where there are none.
    """
    if not len(benign_risk):
        return 0.0
    allowed = math.floor(false_alarms * len(benign_risk))
    if allowed >= len(benign_risk):
        return 0.0
    descending = np.sort(np.asarray(benign_risk, np.float64))[::-1]
    return float(np.nextafter(descending[allowed], np.inf))


def detection_at(attack: NDArray[np.bool_], risk: Floats, false_alarms: float) -> float | None:
    """Share of attacks caught at a false-alarm rate, or None unless both kinds occur."""
    if attack.all() or not attack.any():
        return None
    return float(np.mean(risk[attack] >= threshold_at(risk[~attack], false_alarms)))


def confidence_bin(confidence: Floats, bins: int) -> NDArray[np.int64]:
    """Index of the bin, of equally wide ones over (0, 1], for each confidence (N,)."""
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


def calibration_error(probabilities: Floats, labels: Ints, bins: int = 15) -> float:
    """Expected calibration error of the predicted class over equally wide bins (Guo et al. 2017).

    Args:
        probabilities: (N, labels).
        labels: (N,) true class ids.
        bins: How many bins.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    place = confidence_bin(confidence, bins)
    gaps = [
        abs(right[place == b].mean() - confidence[place == b].mean()) * np.mean(place == b)
        for b in np.unique(place)
    ]
    return float(sum(gaps))


def summary(probabilities: Floats, labels: Ints, rates: Sequence[float]) -> dict[str, Any]:
    """Everything above for one set of texts.

    Args:
        probabilities: (N, labels).
        labels: (N,) true class ids.
        rates: False-alarm rates at which to report detection.
    """
    risk, attack = 1.0 - probabilities[:, 0], labels != 0
    return {
        "texts": len(labels),
        **classification(labels, probabilities.argmax(1)),
        "auroc": roc.auroc(attack, risk),
        "detection": {f"{share:g}": detection_at(attack, risk, share) for share in rates},
        "ece": calibration_error(probabilities, labels) if len(labels) else 0.0,
    }
