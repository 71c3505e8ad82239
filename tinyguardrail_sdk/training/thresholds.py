"""Thresholds that hold a stated rate of false alarms, per source and mode."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import SOURCES, Mode, Source
from tinyguardrail_sdk.manifest import Manifest, read_manifest, write_manifest
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.routing import route
from tinyguardrail_sdk.training.scores import Floats, WindowScores, softmax
from tinyguardrail_sdk.training.targets import Targets

# A rate of one in n cannot be told from fewer than a few times n benign texts.
_TEXTS_PER_ALARM = 2

Thresholds = Mapping[Source, Mapping[Mode, float]]


def fit_thresholds(
    risk: Floats,
    labels: NDArray[np.int64],
    sources: NDArray[np.int64],
    targets: Targets,
    present: Thresholds | None = None,
) -> tuple[dict[Source, dict[Mode, float]], list[str]]:
    """Thresholds that hold each mode's false-alarm rate on the benign texts of each source.

    A source with too few benign texts for a rate keeps its `present` threshold, and where
    balanced is kept, all of them are: else strict would move alone, away from the mode that was
    asked for. Without `present` it takes that of all sources together.

    Returns:
        Thresholds per source and mode, and the `source/mode` pairs that had too few texts.
    """
    benign = labels == 0
    thresholds: dict[Source, dict[Mode, float]] = {}
    too_few = []
    for index, source in enumerate(SOURCES):
        own = risk[benign & (sources == index)]
        thresholds[source] = {}
        all_kept = present is not None and len(own) < texts_needed(targets, Mode.BALANCED)
        reached = 0.0
        for mode in Mode:  # from strict to permissive: a milder mode never flags more
            rate = targets.false_alarms[mode]
            enough = not all_kept and len(own) >= texts_needed(targets, mode)
            if not enough:
                too_few.append(f"{source}/{mode}")
            if enough or present is None:
                fitted = metrics.threshold_at(own if enough else risk[benign], rate)
                fitted = max(min(fitted, 1.0), targets.floors[mode])
            else:
                fitted = present[source][mode]
            reached = max(reached, fitted)
            thresholds[source][mode] = reached
    return thresholds, too_few


def texts_needed(targets: Targets, mode: Mode) -> float:
    """Benign texts of a source from which a mode's threshold is fitted; infinite for no alarms."""
    rate = targets.false_alarms[mode]
    # Rounded first: rates are products, and 400.0000001 texts are 400.
    return math.ceil(round(_TEXTS_PER_ALARM / rate, 6)) if rate else math.inf


def why_kept(kept: Collection[str], scores: WindowScores, targets: Targets) -> list[str]:
    """A line for each source some of whose thresholds stay: which, and how many texts they need.

    Args:
        kept: The `source/mode` pairs.
        scores: The benign answers that were too few.
        targets: False-alarm rates.
    """
    lines = []
    for index, source in enumerate(SOURCES):
        stay = [mode for mode in Mode if f"{source}/{mode}" in kept]
        if not stay:
            continue
        # Balanced holds the others back; see `fit_thresholds`.
        wanting = Mode.BALANCED if Mode.BALANCED in stay else stay[0]
        lines.append(
            f"thresholds kept for {source} ({', '.join(stay)}): {_need(targets, wanting)}, and "
            f"there are {np.sum(scores.sources == index)}"
        )
    return lines


def _need(targets: Targets, mode: Mode) -> str:
    rate, needed = targets.false_alarms[mode], texts_needed(targets, mode)
    return f"{mode} at a rate of {rate:g} needs {needed:g} benign texts of the source"


def refuse_too_few(sources: NDArray[np.int64], targets: Targets) -> None:
    """Refuse benign texts of which no source has enough to move a threshold.

    Args:
        sources: (texts,) index into `SOURCES` of each.
        targets: False-alarm rates.

    Raises:
        InputError: No source has texts enough for the rate of balanced.
    """
    most = int(np.bincount(sources, minlength=1).max())
    if most < texts_needed(targets, Mode.BALANCED):
        raise InputError(
            f"{len(sources)} benign texts are too few: {_need(targets, Mode.BALANCED)}, and the "
            f"most of any are {most}; give more, or a higher rate (--target-fpr)"
        )


def refit_thresholds(
    manifest: Manifest, scores: WindowScores, targets: Targets
) -> tuple[dict[Source, dict[Mode, float]], dict[str, Any]]:
    """Thresholds for a user's own benign traffic; temperature and dials stay as they are.

    Args:
        manifest: Of the checkpoint that gave the scores.
        scores: Answers on benign texts.
        targets: False-alarm rates and floors.

    Returns:
        Thresholds per source and mode, and a report: `texts`, `kept` (the `source/mode` pairs with
        too few texts, which keep what they had) and `flagged` before and after.

    Raises:
        InputError: No source has texts enough for the rate of balanced.
    """
    refuse_too_few(scores.sources, targets)
    risk = calibrated_risk(manifest, scores)
    thresholds, kept = fit_thresholds(
        risk, scores.labels, scores.sources, targets, present=manifest.thresholds
    )
    report = {
        "texts": len(risk),
        "kept": kept,
        "flagged_before": _flagged(risk, scores.sources, manifest.thresholds),
        "flagged_after": _flagged(risk, scores.sources, thresholds),
    }
    return thresholds, report


def calibrated_risk(manifest: Manifest, scores: WindowScores) -> Floats:
    """(texts,) risk under a manifest's temperature and dials: what thresholds are held against."""
    fast = softmax(scores.fast, manifest.temperature.fast)
    deep = softmax(scores.deep, manifest.temperature.deep)
    routed = route(scores, fast, deep, manifest.route_threshold, manifest.escalate_below)
    risk: Floats = 1.0 - routed.probabilities[scores.worst(routed.probabilities), 0]
    return risk


def write_thresholds(
    checkpoint: Path,
    thresholds: Thresholds,
    report: Mapping[str, Any],
) -> Manifest:
    """Put thresholds into the manifest of an exported checkpoint, all else unchanged.

    Raises:
        CheckpointError: The folder holds no usable manifest.
    """
    manifest = read_manifest(checkpoint)
    fields = manifest.model_dump() | {
        "thresholds": thresholds,
        "metrics": {**manifest.metrics, "own_traffic": dict(report)},
    }
    changed = Manifest.model_validate(fields)
    write_manifest(checkpoint, changed)
    return changed


def _flagged(
    risk: Floats, sources: NDArray[np.int64], thresholds: Thresholds
) -> dict[str, dict[str, Any]]:
    rates = {}
    for mode in Mode:
        limit = np.array([thresholds[SOURCES[index]][mode] for index in sources])
        rates[str(mode)] = metrics.rate(int(np.sum(risk >= limit)), len(risk)).to_dict()
    return rates
