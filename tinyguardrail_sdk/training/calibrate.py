"""Turns raw answers into calibrated ones: temperature, routing dials and thresholds.

All are fitted on validation texts, in that order, each on the answers that the ones before it
give. The dials trade the share of fast answers against their quality; thresholds hold a stated
rate of false alarms per source and mode. They go into the manifest, never into code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, SOURCES, Mode, Source
from tinyguardrail_sdk.manifest import Manifest, Temperature, read_manifest, write_manifest
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.scores import Floats, WindowScores, sigmoid, softmax

# A rate of one in n cannot be told from fewer than a few times n benign texts.
_TEXTS_PER_ALARM = 2
_TEMPERATURES = np.geomspace(0.2, 20.0, 400)
_ESCALATION_STEPS = 7


@dataclass(frozen=True)
class Targets:
    """What calibration aims at.

    Attributes:
        fast_share: Share of texts that the fast branch should answer.
        most_escalated: Largest share of texts that may be tried fast and then go deep.
        false_alarms: Share of benign texts that may be flagged, by mode.
        floors: Lowest threshold by mode. Validation texts resemble training texts, so the risk of
            their benign ones is lower than that of texts from elsewhere.
    """

    fast_share: float = 0.7
    most_escalated: float = 0.12
    false_alarms: Mapping[Mode, float] = field(
        default_factory=lambda: {Mode.STRICT: 0.02, Mode.BALANCED: 0.008, Mode.PERMISSIVE: 0.002}
    )
    floors: Mapping[Mode, float] = field(
        default_factory=lambda: {Mode.STRICT: 0.1, Mode.BALANCED: 0.3, Mode.PERMISSIVE: 0.5}
    )

    def __post_init__(self) -> None:
        if not 0 <= self.fast_share <= 1 or not 0 <= self.most_escalated <= 1:
            raise InputError("fast_share and most_escalated are shares and must be in [0, 1]")
        for name in ("false_alarms", "floors"):
            values = [getattr(self, name).get(mode, -1.0) for mode in Mode]
            if any(not 0 <= value < 1 for value in values):
                raise InputError(f"{name} needs a share in [0, 1) for each of {', '.join(Mode)}")


@dataclass(frozen=True)
class Calibration:
    """What was fitted.

    Attributes:
        temperature: Divisors of the logits.
        route_threshold: Router probability from which the fast branch is tried.
        escalate_below: Fast answers under this confidence go deep.
        thresholds: Risk from which a text is flagged, per source and mode.
        report: Measurements on the texts it was fitted on, as JSON types.
    """

    temperature: Temperature
    route_threshold: float
    escalate_below: float
    thresholds: dict[Source, dict[Mode, float]]
    report: dict[str, Any]


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


def calibrate(scores: WindowScores, targets: Targets) -> Calibration:
    """Fit everything on validation answers.

    Raises:
        InputError: There is no benign text to hold a false-alarm rate on.
    """
    if not np.any(scores.labels == 0):
        raise InputError("calibration needs benign texts among the validation texts")
    temperature = Temperature(
        fast=fit_temperature(scores, scores.fast), deep=fit_temperature(scores, scores.deep)
    )
    fast = softmax(scores.fast, temperature.fast)
    deep = softmax(scores.deep, temperature.deep)
    route_threshold, escalate_below = fit_dials(scores, fast, deep, targets)
    routed = route(scores, fast, deep, route_threshold, escalate_below)
    worst = scores.worst(routed.probabilities)
    risk = 1.0 - routed.probabilities[worst, 0]
    thresholds, fallbacks = fit_thresholds(risk, scores.labels, scores.sources, targets)
    report = {
        "texts": len(scores.labels),
        "fast_share": float(routed.fast[worst].mean()),
        "escalated_share": float(routed.escalated[worst].mean()),
        "pooled_thresholds": fallbacks,
        "routed": metrics.summary(
            routed.probabilities[worst], scores.labels, sorted(targets.false_alarms.values())
        ),
        "always_deep": metrics.summary(
            deep[scores.worst(deep)], scores.labels, sorted(targets.false_alarms.values())
        ),
    }
    return Calibration(temperature, route_threshold, escalate_below, thresholds, report)


def fit_temperature(scores: WindowScores, logits: Floats) -> float:
    """Divisor of logits (windows, labels) under which the texts' answers are likeliest."""
    chosen = logits[scores.worst(softmax(logits))]
    likelihood = [_mean_log_likelihood(softmax(chosen, t), scores.labels) for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmax(likelihood))])


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
    if targets.fast_share == 0:
        return 1.0, 1.0
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
        likelihood = _mean_log_likelihood(answers, scores.labels)
        if likelihood > best:
            best, dials = likelihood, (gate, floor)
    return dials


def fit_thresholds(
    risk: Floats, labels: NDArray[np.int64], sources: NDArray[np.int64], targets: Targets
) -> tuple[dict[Source, dict[Mode, float]], list[str]]:
    """Thresholds that hold each mode's false-alarm rate on the benign texts of each source.

    A source with too few benign texts for a rate takes the threshold of all sources together.

    Returns:
        Thresholds per source and mode, and the `source/mode` pairs that were taken from the pool.
    """
    benign = labels == 0
    thresholds: dict[Source, dict[Mode, float]] = {}
    pooled = []
    for index, source in enumerate(SOURCES):
        own = risk[benign & (sources == index)]
        thresholds[source] = {}
        reached = 0.0
        for mode in Mode:  # from strict to permissive: a milder mode never flags more
            rate = targets.false_alarms[mode]
            enough = len(own) * rate >= _TEXTS_PER_ALARM
            if not enough:
                pooled.append(f"{source}/{mode}")
            fitted = metrics.threshold_at(own if enough else risk[benign], rate)
            reached = max(reached, min(fitted, 1.0), targets.floors[mode])
            thresholds[source][mode] = reached
    return thresholds, pooled


def write_calibration(checkpoint: Path, calibration: Calibration, targets: Targets) -> Manifest:
    """Put a calibration into the manifest of an exported checkpoint.

    Raises:
        CheckpointError: The folder holds no usable manifest.
    """
    manifest = read_manifest(checkpoint)
    aimed = {
        "fast_share": targets.fast_share,
        "false_alarms": {str(mode): rate for mode, rate in targets.false_alarms.items()},
        "floors": {str(mode): floor for mode, floor in targets.floors.items()},
    }
    fields = manifest.model_dump() | {
        "thresholds": calibration.thresholds,
        "temperature": calibration.temperature,
        "route_threshold": calibration.route_threshold,
        "escalate_below": calibration.escalate_below,
        "metrics": {**manifest.metrics, "calibration": {"targets": aimed, **calibration.report}},
    }
    changed = Manifest.model_validate(fields)
    write_manifest(checkpoint, changed)
    return changed


def _upper(values: Floats, weight: Floats, share: float) -> float:
    """Largest value such that at least `share` of the weight is at or above it."""
    order = np.argsort(-values, kind="stable")
    reached = np.cumsum(weight[order]) >= share * weight.sum() * (1 - 1e-9)
    return float(values[order][int(np.argmax(reached))])


def _mean_log_likelihood(probabilities: Floats, labels: NDArray[np.int64]) -> float:
    assert probabilities.shape[1] == len(LABELS)
    truth = probabilities[np.arange(len(labels)), labels]
    return float(np.log(np.clip(truth, 1e-12, 1.0)).mean())
