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
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.judging import Progress, judge_texts
from tinyguardrail_sdk.training.rows import Row, read_rows

_LENGTHS = (100, 500, 2000)


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
    fast: NDArray[np.bool_]

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
) -> Scored:
    """Judge every row; see `judge_texts`."""
    scores, fast = judge_texts(checkpoint, rows, force=force, workers=workers, progress=progress)
    return Scored(rows, scores, fast)


def tables(scored: Scored, manifest: Manifest) -> dict[str, Any]:
    """All tables: overall, and by class, set, source, length and language; and what is apart.

    Returns:
        JSON types; each entry is what `measure` returns.
    """
    labels = {str(label) for label in LABELS}
    judged = scored.where(lambda row: row.label in labels)
    groupings: dict[str, Callable[[Row], str]] = {
        "class": lambda row: row.label,
        "set": lambda row: row.set,
        "source": lambda row: str(row.source),
        "length": _length,
        "language": lambda row: row.language,
        "kind": lambda row: f"{row.set}/{row.kind.split(':')[0]}" if row.kind else row.set,
    }
    report: dict[str, Any] = {"all": {"all": measure(judged, manifest)}}
    for name, key in groupings.items():
        report[name] = {
            group: measure(_only(judged, key, group), manifest)
            for group in sorted({key(row) for row in judged.rows})
        }
    report["apart"] = {}
    apart = scored.where(lambda row: row.label not in labels)
    for group in sorted({_set_and_label(row) for row in apart.rows}):
        part = _only(apart, _set_and_label, group)
        everything = np.ones(len(part.rows), bool)
        report["apart"][group] = {
            "texts": len(part.rows),
            "flagged": _flagged(part, manifest, everything),
        }
    return report


def measure(scored: Scored, manifest: Manifest) -> dict[str, Any]:
    """Counts and rates of one group of texts.

    Returns:
        `caught` and `flagged` (attacks, and benign texts, at or over the threshold) per mode with
        Wilson intervals, `auroc`, `accuracy`, `macro_f1`, `fast` (share of texts), `ece`.
    """
    labels = np.array([LABELS.index(row.label) for row in scored.rows], np.int64)
    attack = labels != 0
    classes = metrics.classification(labels, scored.scores.argmax(1))
    return {
        "texts": len(labels),
        "attacks": int(attack.sum()),
        "caught": _flagged(scored, manifest, attack),
        "flagged": _flagged(scored, manifest, ~attack),
        "auroc": metrics.auroc(attack, 1.0 - scored.scores[:, 0]),
        **classes,
        "ece": metrics.calibration_error(scored.scores, labels),
        "fast": metrics.rate(int(scored.fast.sum()), len(labels)).to_dict(),
    }


def evaluate(
    checkpoint: Path,
    paths: Sequence[Path],
    *,
    source_map: Mapping[str, Source] | None = None,
    force: Route | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score sets and report; see `read_rows`, `score` and `tables`.

    Returns:
        JSON types: what was scored (`model_version`, `manifest_sha256`, `route`, `thresholds`) and
        the `tables`.
    """
    rows = read_rows(paths, source_map or {})
    scored = score(checkpoint, rows, force=force, workers=workers, progress=progress)
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
) -> NDArray[np.bool_]:
    """(rows,) whether the risk is at or over the threshold of the row's source."""
    thresholds = np.array([manifest.thresholds[row.source][mode] for row in rows])
    reached: NDArray[np.bool_] = 1.0 - scores[:, 0] >= thresholds
    return reached


def _flagged(
    scored: Scored, manifest: Manifest, chosen: NDArray[np.bool_]
) -> dict[str, dict[str, float | int | None]]:
    rates = {}
    for mode in Mode:
        hits = reaches_threshold(scored.rows, scored.scores, manifest, mode)[chosen]
        rates[str(mode)] = metrics.rate(int(hits.sum()), int(chosen.sum())).to_dict()
    return rates


def _only(scored: Scored, key: Callable[[Row], str], group: str) -> Scored:
    return scored.where(lambda row: key(row) == group)


def _set_and_label(row: Row) -> str:
    return f"{row.set}/{row.label}"


def _length(row: Row) -> str:
    for place, limit in enumerate(_LENGTHS):
        if len(row.text) <= limit:
            return f"{place}: up to {limit} characters"
    return f"{len(_LENGTHS)}: over {_LENGTHS[-1]} characters"
