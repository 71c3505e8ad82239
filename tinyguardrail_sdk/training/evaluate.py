"""Scores labelled texts with the checkpoint that ships, whole text and windows as at run time.

Thresholds are the manifest's and never touched here. Rows of a label outside the four classes
(`harmful_plain`: a risky request without a technique) are reported apart and count nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.labels import LABELS, Mode, Route, Source
from tinyguardrail_sdk.manifest import MANIFEST_NAME, Manifest, load_manifest
from tinyguardrail_sdk.training import metrics, roc
from tinyguardrail_sdk.training.data.kept import NOTHING, Kept
from tinyguardrail_sdk.training.judging import judge_texts
from tinyguardrail_sdk.training.progress import Progress
from tinyguardrail_sdk.training.rows import Row, judged_rows

Bools = NDArray[np.bool_]

_LENGTHS = (100, 500, 2000)
# The share of benign texts that may be flagged where sets are compared whatever the threshold.
FALSE_ALARMS = 0.02


@dataclass(frozen=True)
class Scored:
    """Rows and what the checkpoint said of them.

    Attributes:
        rows: The rows.
        scores: (rows, labels) calibrated probabilities.
        fast: (rows,) whether the fast branch answered.
    """

    rows: Sequence[Row]
    scores: NDArray[np.float64]
    fast: Bools

    def where(self, holds: Callable[[Row], bool]) -> Scored:
        """Only the rows for which `holds`."""
        chosen = np.array([holds(row) for row in self.rows], bool)
        rows = [row for row, keep in zip(self.rows, chosen, strict=True) if keep]
        return Scored(rows, self.scores[chosen], self.fast[chosen])


def score(
    checkpoint: Path,
    rows: Sequence[Row],
    *,
    force: Route | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    kept: Kept = NOTHING,
) -> Scored:
    """Judge every row; see `judge_texts`."""
    scores, fast = judge_texts(
        checkpoint, rows, force=force, workers=workers, progress=progress, kept=kept
    )
    return Scored(rows, scores, fast)


def tables(scored: Scored, manifest: Manifest) -> dict[str, Any]:
    """All tables: overall, and by class, set, source, length and language; and what is apart.

    Returns:
        JSON types; each entry is what `measure` returns.
    """
    judged = scored.where(lambda row: row.has_class)
    report: dict[str, Any] = {"all": {"all": measure(judged, manifest)}}
    for name, key in GROUPINGS.items():
        report[name] = {
            group: measure(_only(judged, key, group), manifest)
            for group in sorted({key(row) for row in judged.rows})
        }
    report["apart"] = {}
    apart = scored.where(lambda row: not row.has_class)
    for group in sorted({_set_and_label(row) for row in apart.rows}):
        part = _only(apart, _set_and_label, group)
        hits = _hits(part, manifest).items()
        report["apart"][group] = {
            "texts": len(part.rows),
            "flagged": {m: metrics.rate(int(h.sum()), len(h)).to_dict() for m, h in hits},
        }
    return report


def measure(scored: Scored, manifest: Manifest) -> dict[str, Any]:
    """Counts and rates of one group of texts.

    Returns:
        What `decisions` gives; `accuracy` and `macro_f1` of the four classes, `ece`, `fast` (share
        of texts).
    """
    labels = np.array([LABELS.index(row.label) for row in scored.rows], np.int64)
    classes = metrics.classification(labels, scored.scores.argmax(1))
    return {
        **decisions(labels != 0, 1.0 - scored.scores[:, 0], _hits(scored, manifest)),
        **classes,
        "ece": metrics.calibration_error(scored.scores, labels),
        "fast": metrics.rate(int(scored.fast.sum()), len(labels)).to_dict(),
    }


def decisions(
    attack: Bools, risk: NDArray[np.float64], hits: Mapping[str, Bools]
) -> dict[str, Any]:
    """Counts and rates of what was decided about a group of texts, by anyone.

    Args:
        attack: (N,) whether each text is one.
        risk: (N,) that a text is an attack.
        hits: By mode, (N,) whether each text was flagged.

    Returns:
        `texts`, `attacks`; by mode `caught` and `flagged` (of attacks, of benign texts) with Wilson
        intervals, and `f1`; `auroc`, `auroc_interval`, and `caught_at_2` (where 2 % of these benign
        texts may be flagged). What needs attacks and benign texts is None where one is missing.
    """
    attacks, benign = int(attack.sum()), int((~attack).sum())
    caught = {mode: metrics.rate(int(hit[attack].sum()), attacks) for mode, hit in hits.items()}
    flagged = {mode: metrics.rate(int(hit[~attack].sum()), benign) for mode, hit in hits.items()}
    area = roc.auroc(attack, risk)
    over = risk[attack] >= metrics.threshold_at(risk[~attack], FALSE_ALARMS)
    at_2 = metrics.rate(int(over.sum()), attacks).to_dict()
    return {
        "texts": len(attack),
        "attacks": attacks,
        "caught": {mode: rate.to_dict() for mode, rate in caught.items()},
        "flagged": {mode: rate.to_dict() for mode, rate in flagged.items()},
        "f1": {
            mode: metrics.f1(rate.hits, attacks - rate.hits, flagged[mode].hits) if benign else None
            for mode, rate in caught.items()
        },
        "auroc": area,
        "auroc_interval": None if area is None else roc.auroc_interval(area, attacks, benign),
        "caught_at_2": None if area is None else at_2,
    }


def evaluate(
    checkpoint: Path,
    paths: Sequence[Path],
    *,
    source_map: Mapping[str, Source] | None = None,
    force: Route | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    kept: Kept = NOTHING,
) -> dict[str, Any]:
    """Score sets and report; see `judged_rows`, `score` and `tables`.

    Returns:
        JSON types: what was scored (`model_version`, `manifest_sha256`, `route`, `thresholds`) and
        the `tables`.

    Raises:
        CheckpointError: The checkpoint cannot be used.
        FileNotFoundError: A path does not exist.
        InputError: A line is no row, or no row is of one of the four classes.
    """
    rows = judged_rows(paths, source_map or {})
    scored = score(checkpoint, rows, force=force, workers=workers, progress=progress, kept=kept)
    return summarise(checkpoint, scored, force)


def summarise(checkpoint: Path, scored: Scored, force: Route | None) -> dict[str, Any]:
    """What `evaluate` returns, of rows already scored."""
    manifest = load_manifest(checkpoint)
    fields = manifest.model_dump(mode="json")
    return {
        "model_version": manifest.model_version,
        # The manifest holds the hash of every file, so this one names the whole checkpoint.
        "manifest_sha256": hashlib.sha256((checkpoint / MANIFEST_NAME).read_bytes()).hexdigest(),
        "route": str(force) if force else "routed",
        "thresholds": fields["thresholds"],
        "tables": tables(scored, manifest),
    }


def reaches_threshold(
    rows: Sequence[Row], scores: NDArray[np.float64], manifest: Manifest, mode: Mode
) -> Bools:
    """(rows,) whether the risk is at or over the threshold of the row's source."""
    thresholds = np.array([manifest.thresholds[row.source][mode] for row in rows])
    reached: Bools = 1.0 - scores[:, 0] >= thresholds
    return reached


def _hits(scored: Scored, manifest: Manifest) -> dict[str, Bools]:
    return {
        str(mode): reaches_threshold(scored.rows, scored.scores, manifest, mode) for mode in Mode
    }


def _only(scored: Scored, key: Callable[[Row], str], group: str) -> Scored:
    return scored.where(lambda row: key(row) == group)


def _set_and_label(row: Row) -> str:
    return f"{row.set}/{row.label}"


def _length(row: Row) -> str:
    for place, limit in enumerate(_LENGTHS):
        if len(row.text) <= limit:
            return f"{place}: up to {limit} characters"
    return f"{len(_LENGTHS)}: over {_LENGTHS[-1]} characters"


# What texts are grouped by in the tables.
GROUPINGS: Mapping[str, Callable[[Row], str]] = {
    "class": lambda row: row.label,
    "set": lambda row: row.set,
    "source": lambda row: str(row.source),
    "length": _length,
    "language": lambda row: row.language,
    "kind": lambda row: f"{row.set}/{row.kind.split(':')[0]}" if row.kind else row.set,
}
