"""What the training commands do; `cli` says what they are called with."""

from __future__ import annotations

import argparse
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState
from rich.console import Console

from tinyguardrail_sdk.cli import INTERRUPTED
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, SOURCES
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, Manifest, read_manifest
from tinyguardrail_sdk.training import INSTALL_REMEDY, mean
from tinyguardrail_sdk.training import calibrate as calibration
from tinyguardrail_sdk.training import compare as comparison
from tinyguardrail_sdk.training import evaluate as evaluation
from tinyguardrail_sdk.training import train as training
from tinyguardrail_sdk.training.checkpoint import RunFolder, load_run_config
from tinyguardrail_sdk.training.config import TrainConfig, from_dict, load_config
from tinyguardrail_sdk.training.counting import counting, counting_parts
from tinyguardrail_sdk.training.data.jsonl import write_json
from tinyguardrail_sdk.training.data.kept import keeping, unfinished
from tinyguardrail_sdk.training.export.bundle import export as export_checkpoint
from tinyguardrail_sdk.training.export.bundle import tell_staying
from tinyguardrail_sdk.training.export.release import ReleaseConfig, release
from tinyguardrail_sdk.training.fields import print_fields
from tinyguardrail_sdk.training.inputs import CLASSES_ONLY, HARMLESS_ONLY
from tinyguardrail_sdk.training.judging import judge_windows
from tinyguardrail_sdk.training.options import chosen_route
from tinyguardrail_sdk.training.preflight import calibration_targets, train_overrides
from tinyguardrail_sdk.training.reporter import print_json, tell
from tinyguardrail_sdk.training.robustness import USUAL, under_mutation
from tinyguardrail_sdk.training.rows import Row, read_rows
from tinyguardrail_sdk.training.scores import WindowScores
from tinyguardrail_sdk.training.settings import override
from tinyguardrail_sdk.training.tables import render, render_changes, render_robustness
from tinyguardrail_sdk.training.targets import Targets
from tinyguardrail_sdk.training.thresholds import (
    refit_thresholds,
    refuse_too_few,
    why_kept,
    write_thresholds,
)
from tinyguardrail_sdk.training.vocabulary import extend, load_vocabulary

_DONE, _WORSE = 0, 1


def robustness(arguments: argparse.Namespace) -> int:
    """Score texts under mutations, show a table."""
    with keeping(unfinished(arguments.output), tell) as kept, counting("score") as progress:
        report = under_mutation(
            arguments.checkpoint or DEFAULT_CHECKPOINT,
            read_rows(arguments.paths, {}),
            names=arguments.mutation or USUAL,
            most=arguments.texts,
            mode=arguments.mode,
            seed=arguments.seed,
            force=chosen_route(arguments),
            workers=arguments.workers,
            progress=progress,
            kept=kept,
        )
        _write_result(arguments.output, report)
    Console(width=200).print(render_robustness(report))
    print_json(report, shown=True)
    return _DONE


def vocabulary(arguments: argparse.Namespace) -> int:
    """Extend a base's vocabulary."""
    base = load_vocabulary(arguments.base)
    extended = extend(base)
    arguments.output.write_text("\n".join(extended) + "\n", encoding="utf-8")
    print_json({"base": len(base), "extended": len(extended)})
    return _DONE


def train(arguments: argparse.Namespace) -> int:
    """Train or resume."""
    config = _train_config(arguments)
    if arguments.fields:
        print_fields(config.to_dict(), TrainConfig)
        return _DONE
    result = training.main(config, resume=arguments.resume)
    if PartialState().is_main_process:  # of those that trained together one tells
        _tell_trained(result)
    return INTERRUPTED if result.reason == "interrupted" else _DONE


def _tell_trained(result: training.TrainResult) -> None:
    print_json({**vars(result), "folder": str(result.folder)})
    if result.reason == "interrupted":
        again = f"tinyguardrail train --resume --output {shlex.quote(str(result.folder))}"
        tell(f"go on with `{again}`, started as before")


def average(arguments: argparse.Namespace) -> int:
    """Write the mean of checkpoints' weights."""
    with counting("average") as progress:
        made = mean.average(arguments.paths, arguments.output, arguments.share, progress)
    print_json(made)
    return _DONE


def calibrate(arguments: argparse.Namespace) -> int:
    """Fit on validation texts and write the manifest."""
    targets = calibration_targets(arguments)
    rows = read_rows(arguments.validation or arguments.benign, {}, _benign_if(arguments.benign))
    known = LABELS[:1] if arguments.benign else LABELS
    if odd := [row for row in rows if row.label not in known]:
        raise InputError(_unwanted(odd, benign_only=bool(arguments.benign)))
    if arguments.benign:  # before they are judged, which takes its time
        refuse_too_few(np.array([SOURCES.index(row.source) for row in rows]), targets)
    checkpoint = arguments.checkpoint
    with keeping(unfinished(checkpoint), tell) as kept:
        with counting("score") as progress:
            scores = judge_windows(
                checkpoint, rows, workers=arguments.workers, progress=progress, kept=kept
            )
        fit = _fit_thresholds if arguments.benign else _fit_everything
        manifest, report = fit(checkpoint, scores, targets)
    shown = {"thresholds", "temperature", "route_threshold", "escalate_below"}
    print_json({**manifest.model_dump(mode="json", include=shown), **report})
    return _DONE


def _fit_thresholds(
    checkpoint: Path, scores: WindowScores, targets: Targets
) -> tuple[Manifest, dict[str, Any]]:
    fitted, report = refit_thresholds(read_manifest(checkpoint), scores, targets)
    for line in why_kept(report["kept"], scores, targets):
        tell(line)
    return write_thresholds(checkpoint, fitted, report), report


def _fit_everything(
    checkpoint: Path, scores: WindowScores, targets: Targets
) -> tuple[Manifest, dict[str, Any]]:
    found = calibration.calibrate(scores, targets)
    if pooled := found.report["pooled_thresholds"]:
        tell(
            "too few benign texts to fit these by themselves, they take the "
            f"threshold of all sources together: {', '.join(pooled)}"
        )
    return calibration.write_calibration(checkpoint, found, targets), found.report


def _unwanted(odd: Sequence[Row], *, benign_only: bool) -> str:
    found = Counter((row.set, row.label) for row in odd)
    counts = ", ".join(
        f"{n} texts of label {label!r} in {name}" for (name, label), n in found.items()
    )
    return f"{counts}; {HARMLESS_ONLY if benign_only else CLASSES_ONLY}"


def _benign_if(traffic: Sequence[Path]) -> str | None:
    return str(LABELS[0]) if traffic else None


def evaluate(arguments: argparse.Namespace) -> int:
    """Score sets, show tables."""
    with keeping(unfinished(arguments.output), tell) as kept, counting("score") as progress:
        report = evaluation.evaluate(
            arguments.checkpoint or DEFAULT_CHECKPOINT,
            arguments.paths,
            source_map=dict(arguments.source_map),
            force=chosen_route(arguments),
            workers=arguments.workers,
            progress=progress,
            kept=kept,
        )
        _write_result(arguments.output, report)
    console = Console(width=100)
    for table in render(report):
        console.print(table)
    print_json({**report, "tables": report["tables"]["all"]}, shown=True)
    return _DONE


def _write_result(output: Path | None, report: object) -> None:
    if output is not None:
        write_json(output, report)


def report(arguments: argparse.Namespace) -> int:
    """Write figures, pictures and the page of a run, of a checkpoint on data, or of both."""
    try:
        from tinyguardrail_sdk.training.report.assess import assess
        from tinyguardrail_sdk.training.report.build import PAGE, write_report
        from tinyguardrail_sdk.training.report.history import read_history
    except ImportError as error:  # only this command draws
        raise InputError(f"the report needs {error.name}; {INSTALL_REMEDY}") from None

    history = read_history(arguments.folder) if arguments.folder else None
    found = None
    with keeping(unfinished(arguments.output), tell) as kept:
        if arguments.data:
            with counting("score") as progress:
                found = assess(
                    arguments.checkpoint or DEFAULT_CHECKPOINT,
                    arguments.data,
                    source_map=dict(arguments.source_map),
                    force=chosen_route(arguments),
                    workers=arguments.workers,
                    progress=progress,
                    kept=kept,
                )
        written = write_report(arguments.output, history, found, arguments.data or ())
    print_json({"page": arguments.output / PAGE, "notes": written["notes"]})
    return _DONE


def export(arguments: argparse.Namespace) -> int:
    """Write an INT8 checkpoint, on request only if it is not worse than the built-in one."""
    if arguments.release:
        return _release(arguments)
    with counting("write") as progress:
        manifest = export_checkpoint(
            arguments.folder,
            arguments.output,
            model_version=arguments.model_version,
            four_bit=arguments.four_bit,
            progress=progress,
        )
    tell(
        "thresholds are neutral until `tinyguardrail calibrate --checkpoint "
        f"{arguments.output}` fits them"
    )
    shown = manifest.model_dump(mode="json", include={"name", "model_version", "files"})
    print_json({**shown, **tell_staying(manifest)})
    return _DONE


def compare(arguments: argparse.Namespace) -> int:
    """Compare two checkpoints; 1 where the new one is worse."""
    rows = read_rows(arguments.data or [comparison.REGRESSION_SET], {})
    judged = [row for row in rows if row.has_class]
    if len(judged) < len(rows):
        tell(f"{len(rows) - len(judged)} rows of no class left out: no decision is right for them")
    with keeping(unfinished(arguments.output), tell) as kept, counting_parts() as progress:
        changes = comparison.compare(
            arguments.checkpoint,
            arguments.against or DEFAULT_CHECKPOINT,
            judged,
            comparison.Gate(mode=arguments.mode),
            workers=arguments.workers,
            progress=progress,
            kept=kept,
        )
        _write_result(arguments.output, comparison.summary(changes))
    return _tell(changes, {})


def _release(arguments: argparse.Namespace) -> int:
    trained = load_run_config(arguments.folder)
    config = ReleaseConfig(
        model_version=arguments.model_version,
        validation=trained.data.validation,
        allow_worse=arguments.allow_worse,
        workers=arguments.workers,
        four_bit=arguments.four_bit,
    )
    with keeping(unfinished(arguments.output), tell) as kept, counting_parts() as progress:
        made = release(arguments.folder, arguments.output, config, progress, kept)
    if made.worse and not made.released:
        groups = ", ".join(made.worse)
        tell(
            f"not released: worse than the built-in checkpoint in {groups}; "
            "train on, or release it all the same with --allow-worse"
        )
    if made.released:
        tell(f"released: {arguments.output}")
    return _tell(made.changes, {"released": made.released, **tell_staying(made.manifest)})


def _tell(changes: dict[str, comparison.Change], facts: Mapping[str, Any]) -> int:
    Console(width=100).print(render_changes(changes))
    shown = comparison.summary(changes)
    print_json({**facts, **shown}, shown=True)
    refused = bool(shown["worse"]) and not facts.get("released", False)
    return _WORSE if refused else _DONE


def _train_config(arguments: argparse.Namespace) -> TrainConfig:
    overrides = train_overrides(arguments)
    if not arguments.resume or arguments.config:
        return load_config(arguments.config, overrides)
    latest = RunFolder(load_config(None, overrides).output).latest()
    return from_dict(override(load_run_config(latest).to_dict(), overrides))
