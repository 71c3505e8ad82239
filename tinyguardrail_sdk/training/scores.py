"""What both branches and the router said about every window, and how windows make a text's answer.

The same arrays come from the network in training and from the exported engine in calibration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.labels import LABELS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WindowScores:
    """Answers for the windows of a set of texts; every text has at least one window.

    Attributes:
        fast: (windows, labels) logits of the fast branch.
        deep: (windows, labels) logits of the deep branch.
        route: (windows,) logit that the fast branch is enough.
        text: (windows,) index of each window's text, ascending.
        labels: (texts,) true class ids.
        sources: (texts,) indices into `SOURCES`.
        experts: (windows, deep layers, experts) bool, the experts that each window used; None from
            an exported engine, which does not tell.
    """

    fast: Floats
    deep: Floats
    route: Floats
    text: NDArray[np.int64]
    labels: NDArray[np.int64]
    sources: NDArray[np.int64]
    experts: NDArray[np.bool_] | None = None

    def worst(self, probabilities: Floats) -> NDArray[np.int64]:
        """Index of each text's riskiest window, under probabilities (windows, labels)."""
        order = np.lexsort((-probabilities[:, 0], self.text))  # ascending risk within a text
        last = np.flatnonzero(np.diff(self.text[order], append=-1))
        return order[last]


def softmax(logits: NDArray[Any], temperature: float = 1.0) -> Floats:
    """Probabilities (N, labels) of logits (N, labels)."""
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(-1, keepdims=True))
    probabilities: Floats = powers / powers.sum(-1, keepdims=True)
    return probabilities


def sigmoid(logits: NDArray[Any]) -> Floats:
    """Probabilities (N,) of logits (N,)."""
    return softmax(np.stack([np.zeros(len(logits)), np.asarray(logits, np.float64)], 1))[:, 1]


def mean_log_likelihood(probabilities: Floats, labels: NDArray[np.int64]) -> float:
    """Mean log probability of the true classes (N,) under probabilities (N, labels)."""
    assert probabilities.shape[1] == len(LABELS)
    truth = probabilities[np.arange(len(labels)), labels]
    return float(np.log(np.clip(truth, 1e-12, 1.0)).mean())
