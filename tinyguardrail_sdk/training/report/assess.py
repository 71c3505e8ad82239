"""Scores an exported checkpoint on labelled files, and gathers what the report shows of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyguardrail_sdk.labels import LABELS, Route, Source
from tinyguardrail_sdk.manifest import Manifest, load_manifest
from tinyguardrail_sdk.training import evaluate as evaluation
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.data.jsonl import data_files
from tinyguardrail_sdk.training.data.kept import NOTHING, Kept
from tinyguardrail_sdk.training.evaluate import Scored
from tinyguardrail_sdk.training.metrics import Rate
from tinyguardrail_sdk.training.progress import Progress
from tinyguardrail_sdk.training.report.curves import (
    Bin,
    OperatingPoint,
    Roc,
    operating_points,
    reliability,
    roc_curves,
)
from tinyguardrail_sdk.training.rows import judged_rows


@dataclass(frozen=True)
class Assessment:
    """What a checkpoint said of the texts of some files.

    Attributes:
        manifest: Of the checkpoint.
        summary: What `evaluate` gives, with the files and their hashes.
        points: Detection at fixed false alarms.
        roc: Curves by class of attacks.
        bins: Confidence against truth.
    """

    manifest: Manifest
    summary: dict[str, Any]
    points: Sequence[OperatingPoint]
    roc: Mapping[str, Roc]
    bins: Sequence[Bin]

    @property
    def whole(self) -> dict[str, Any]:
        """The measures of all texts together; see `evaluate.measure`."""
        measures: dict[str, Any] = self.summary["tables"]["all"]["all"]
        return measures

    @property
    def right(self) -> Rate:
        """Texts whose class was named rightly."""
        confusion = np.array(self.whole["confusion"])
        return metrics.rate(int(np.trace(confusion)), int(confusion.sum()))

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON types; of the ROC curves, the areas."""
        return {
            **self.summary,
            "accuracy": self.right.to_dict(),
            "auroc": {name: curve.area for name, curve in self.roc.items()},
            "detection": [point.to_dict() for point in self.points],
            "reliability": [part.to_dict() for part in self.bins],
        }


def assess(
    checkpoint: Path,
    paths: Sequence[Path],
    *,
    source_map: Mapping[str, Source],
    force: Route | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    kept: Kept = NOTHING,
) -> Assessment:
    """Score files as `evaluate` does, and measure what takes single scores.

    Raises:
        CheckpointError: The checkpoint is missing or damaged.
        FileNotFoundError: A path does not exist.
        InputError: A line is no row, or no row is of one of the four classes.
    """
    load_manifest(checkpoint)  # before the texts are read: whether there is one at all
    rows = judged_rows(paths, source_map)
    scored = evaluation.score(
        checkpoint, rows, force=force, workers=workers, progress=progress, kept=kept
    )
    return assess_scored(checkpoint, paths, scored, force)


def assess_scored(
    checkpoint: Path, paths: Sequence[Path], scored: Scored, force: Route | None = None
) -> Assessment:
    """What `assess` returns, of the rows of `paths` already scored."""
    manifest = load_manifest(checkpoint)
    judged = scored.where(lambda row: row.has_class)
    labels = np.array([LABELS.index(row.label) for row in judged.rows], np.int64)
    risk = 1.0 - judged.scores[:, 0]
    return Assessment(
        manifest=manifest,
        summary={
            **evaluation.summarise(checkpoint, scored, force),
            "checkpoint_files": {name: entry.sha256 for name, entry in manifest.files.items()},
            "data": [_described(path) for path in data_files(paths)],
            "texts": len(scored.rows),
        },
        points=operating_points(risk, labels),
        roc=roc_curves(risk, labels),
        bins=reliability(judged.scores, labels),
    )


def _described(path: Path) -> dict[str, Any]:
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
