"""Turns raw answers into calibrated ones: temperature, routing dials and thresholds.

All are fitted on validation texts, in that order, each on the answers that the ones before it
give. The dials trade the share of fast answers against their quality; thresholds hold a stated
rate of false alarms per source and mode. They go into the manifest, never into code.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Mode, Source
from tinyguardrail_sdk.manifest import Manifest, Temperature, read_manifest, write_manifest
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.routing import fit_dials, route
from tinyguardrail_sdk.training.scores import Floats, WindowScores, mean_log_likelihood, softmax
from tinyguardrail_sdk.training.targets import Targets
from tinyguardrail_sdk.training.thresholds import fit_thresholds

_TEMPERATURES = np.geomspace(0.2, 20.0, 400)


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
    likelihood = [mean_log_likelihood(softmax(chosen, t), scores.labels) for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmax(likelihood))])


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
