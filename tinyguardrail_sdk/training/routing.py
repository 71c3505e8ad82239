"""Routing as the engine does it, over the answers of both branches, and the dials that steer it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.training.scores import (
    Floats,
    WindowScores,
    mean_log_likelihood,
    sigmoid,
)
from tinyguardrail_sdk.training.targets import Targets

_ESCALATION_STEPS = 7


@dataclass(frozen=True)
class Routed:
    """Answers of the routed model.

    Attributes:
        probabilities: (windows, labels).
        fast: (windows,) answered by the fast branch.
        escalated: (windows,) tried fast, answered deep.
    """

    probabilities: Floats
    fast: NDArray[np.bool_]
    escalated: NDArray[np.bool_]


def route(
    scores: WindowScores,
    fast: Floats,
    deep: Floats,
    route_threshold: float,
    escalate_below: float,
) -> Routed:
    """Answer as the engine would, from calibrated (windows, labels) of both branches."""
    tried = sigmoid(scores.route) >= route_threshold
    answered = tried & (fast.max(1) >= escalate_below)
    return Routed(np.where(answered[:, None], fast, deep), answered, tried & ~answered)


def fit_dials(
    scores: WindowScores, fast: Floats, deep: Floats, targets: Targets
) -> tuple[float, float]:
    """Choose router threshold and escalation for the wanted share of fast answers.

    Many pairs give one share: a stricter router, or a laxer one with more second thoughts. Of
    those within the limit on escalation, the one with the likeliest answers is taken.
    """
    if targets.fast_share in (0, 1):  # whatever the texts to come are like
        return 1.0 - targets.fast_share, 1.0 - targets.fast_share
    open_gate = sigmoid(scores.route)
    confidence = fast.max(1)
    # Long texts have many windows; every text counts once.
    weight = 1.0 / np.bincount(scores.text)[scores.text]
    best, dials = -np.inf, (0.0, 0.0)
    most = min(1.0, targets.fast_share + targets.most_escalated)
    for tried in np.linspace(targets.fast_share, most, _ESCALATION_STEPS):
        gate = _upper(open_gate, weight, tried)
        kept = open_gate >= gate
        share = targets.fast_share * weight.sum() / weight[kept].sum()
        floor = _upper(confidence[kept], weight[kept], min(1.0, share))
        routed = route(scores, fast, deep, gate, floor)
        answers = routed.probabilities[scores.worst(routed.probabilities)]
        likelihood = mean_log_likelihood(answers, scores.labels)
        if likelihood > best:
            best, dials = likelihood, (gate, floor)
    return dials


def _upper(values: Floats, weight: Floats, share: float) -> float:
    """Largest value such that at least `share` of the weight is at or above it."""
    order = np.argsort(-values, kind="stable")
    reached = np.cumsum(weight[order]) >= share * weight.sum() * (1 - 1e-9)
    return float(values[order][int(np.argmax(reached))])
