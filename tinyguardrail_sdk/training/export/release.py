"""Export, calibrate and compare in one go: a checkpoint appears only if it is not worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.manifest import (
    DEFAULT_CHECKPOINT,
    Manifest,
    read_manifest,
    write_manifest,
)
from tinyguardrail_sdk.training.calibrate import calibrate, write_calibration
from tinyguardrail_sdk.training.compare import REGRESSION_SET, Change, Gate, compare, worse
from tinyguardrail_sdk.training.data.kept import NOTHING, Kept
from tinyguardrail_sdk.training.data.publish import drafted_beside
from tinyguardrail_sdk.training.export.bundle import export
from tinyguardrail_sdk.training.judging import judge_windows
from tinyguardrail_sdk.training.progress import PartsProgress, part_of
from tinyguardrail_sdk.training.rows import read_rows
from tinyguardrail_sdk.training.targets import Targets


@dataclass(frozen=True)
class ReleaseConfig:
    """What a release must pass.

    Attributes:
        model_version: What verdicts will report.
        validation: Labelled texts that thresholds are fitted on.
        against: Checkpoint that it would replace.
        data: Labelled texts that both are compared on.
        gate: When it counts as worse.
        targets: What calibration aims at.
        allow_worse: Release it all the same.
        workers: Processes that judge.
        four_bit: Store experts and token table in 4 bits.
    """

    model_version: str
    validation: Sequence[Path]
    against: Path = DEFAULT_CHECKPOINT
    data: Sequence[Path] = (REGRESSION_SET,)
    gate: Gate = Gate()
    targets: Targets = Targets()
    allow_worse: bool = False
    workers: int = 1
    four_bit: bool = False

    def __post_init__(self) -> None:
        if not self.validation:
            raise InputError("a release needs validation texts to calibrate on: --validation F")


@dataclass(frozen=True)
class Release:
    """How it went.

    Attributes:
        manifest: Of the new checkpoint.
        changes: What differs from the old one, by group.
        worse: Groups that got worse.
        released: Whether the folder was written.
    """

    manifest: Manifest
    changes: dict[str, Change]
    worse: list[str]
    released: bool


def release(
    run: Path,
    directory: Path,
    config: ReleaseConfig,
    progress: PartsProgress | None = None,
    kept: Kept = NOTHING,
) -> Release:
    """Write a calibrated INT8 checkpoint, unless it is worse than the one it would replace.

    Args:
        run: Trained weights, such as `runs/guard/best`.
        directory: Folder of the checkpoint; must not exist.
        config: What it must pass.
        progress: Called with what is done, rows done and rows in all.
        kept: Where answers are kept, and those of an interrupted run taken up.

    Raises:
        InputError: The folder exists, the texts cannot be used, or another command is making it.
        CheckpointError: `run` or the old checkpoint cannot be used.
    """
    _refuse_existing(directory)
    with drafted_beside(directory) as made:
        _refuse_existing(directory)  # of a command that has just ended
        export_calibrated(run, made, config, progress, kept)
        changes = compare(
            made,
            config.against,
            read_rows(config.data, {}),
            config.gate,
            workers=config.workers,
            progress=progress,
            kept=kept,
        )
        regressions = worse(changes)
        manifest = _record(made, config, changes)
        released = config.allow_worse or not regressions
        if released:
            made.rename(directory)
    return Release(manifest, changes, regressions, released)


def _refuse_existing(directory: Path) -> None:
    if directory.exists():
        raise InputError(f"{directory}: exists; remove it or give another --output")


def export_calibrated(
    run: Path,
    directory: Path,
    config: ReleaseConfig,
    progress: PartsProgress | None = None,
    kept: Kept = NOTHING,
) -> Manifest:
    """Write an INT8 checkpoint and calibrate it on the validation texts of `config`.

    Returns:
        Its manifest.

    Raises:
        InputError: The texts cannot be used.
        CheckpointError: `run` cannot be used.
    """
    export(
        run,
        directory,
        model_version=config.model_version,
        four_bit=config.four_bit,
        progress=part_of(progress, "write"),
    )
    scores = judge_windows(
        directory,
        read_rows(config.validation, {}),
        workers=config.workers,
        progress=part_of(progress, "calibrate"),
        kept=kept.named("calibrate"),
    )
    return write_calibration(directory, calibrate(scores, config.targets), config.targets)


def _record(made: Path, config: ReleaseConfig, changes: dict[str, Change]) -> Manifest:
    """Keep the comparison beside the weights."""
    manifest = read_manifest(made)
    comparison = {
        "against": read_manifest(config.against).model_version,
        "mode": str(config.gate.mode),
        "changes": {group: change.to_dict() for group, change in changes.items()},
    }
    metrics = {**manifest.metrics, "comparison": comparison}
    changed = manifest.model_copy(update={"metrics": metrics})
    write_manifest(made, changed)
    return changed
