"""Operating points, ROC and calibration of scores. NumPy in, plain numbers out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from tinyguardrail_sdk.labels import LABELS
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.metrics import Floats, Ints, Rate

ALL = "all attacks"
# Allowed shares of benign texts at which detection is reported.
FALSE_ALARMS = (0.001, 0.01)
BINS = 10


@dataclass(frozen=True)
class OperatingPoint:
    """Detection where a share of the benign texts may be flagged.

    Attributes:
        allowed: That share.
        threshold: Risk from which a text is flagged; read off these very texts.
        flagged: Benign texts flagged at it.
        caught: Attacks caught at it, by class and for `ALL`; without those that do not occur.
    """

    allowed: float
    threshold: float
    flagged: Rate
    caught: Mapping[str, Rate]

    @property
    def resolved(self) -> bool:
        """Whether there are benign texts enough for this share to allow a single one."""
        return self.allowed * self.flagged.total >= 1

    def to_dict(self) -> dict[str, Any]:
        """The point as JSON types."""
        return {
            "allowed": self.allowed,
            "resolved": self.resolved,
            "threshold": self.threshold,
            "flagged": self.flagged.to_dict(),
            "caught": {name: rate.to_dict() for name, rate in self.caught.items()},
        }


@dataclass(frozen=True)
class Roc:
    """A ROC curve.

    Attributes:
        false_alarms: (N,) share of benign texts flagged, ascending.
        detection: (N,) share of attacks caught.
        area: Under it.
    """

    false_alarms: Floats
    detection: Floats
    area: float


@dataclass(frozen=True)
class Bin:
    """Texts whose answers were about equally sure.

    Attributes:
        confidence: Their mean probability of the answer.
        right: How many answers were right.
    """

    confidence: float
    right: Rate

    def to_dict(self) -> dict[str, Any]:
        """The bin as JSON types."""
        return {"confidence": round(self.confidence, 5), "right": self.right.to_dict()}


def operating_points(risk: Floats, labels: Ints) -> list[OperatingPoint]:
    """Detection at each of `FALSE_ALARMS`; empty unless attacks and benign texts both occur.

    Args:
        risk: (N,) probability of an attack.
        labels: (N,) true class ids.
    """
    benign = risk[labels == 0]
    groups = _attacks(labels)
    if not len(benign) or not groups:
        return []
    points = []
    for allowed in FALSE_ALARMS:
        threshold = metrics.threshold_at(benign, allowed)
        over = risk >= threshold
        caught = {
            name: metrics.rate(int(over[chosen].sum()), int(chosen.sum()))
            for name, chosen in groups.items()
        }
        flagged = metrics.rate(int((benign >= threshold).sum()), len(benign))
        points.append(OperatingPoint(allowed, threshold, flagged, caught))
    return points


def roc_curves(risk: Floats, labels: Ints) -> dict[str, Roc]:
    """A curve of all attacks, and of each class of attacks, against all benign texts."""
    benign = labels == 0
    curves = {}
    if benign.any():
        for name, chosen in _attacks(labels).items():
            part = benign | chosen
            false_alarms, detection, _ = sk.roc_curve(chosen[part], risk[part])
            curves[name] = Roc(false_alarms, detection, float(sk.auc(false_alarms, detection)))
    return curves


def reliability(probabilities: Floats, labels: Ints) -> list[Bin]:
    """Confidence against truth, in equally wide bins of confidence; empty ones are left out.

    Args:
        probabilities: (N, labels).
        labels: (N,) true class ids.
    """
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    place = metrics.confidence_bin(confidence, BINS)
    return [
        Bin(
            float(confidence[place == b].mean()),
            metrics.rate(int(right[place == b].sum()), int((place == b).sum())),
        )
        for b in np.unique(place)
    ]


def _attacks(labels: Ints) -> dict[str, NDArray[np.bool_]]:
    groups = {ALL: labels != 0}
    groups |= {str(label): labels == index for index, label in enumerate(LABELS) if index}
    return {name: chosen for name, chosen in groups.items() if chosen.any()}
