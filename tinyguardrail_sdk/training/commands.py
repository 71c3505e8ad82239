"""What the training commands do; `cli` says what they are called with."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import Any

from rich.console import Console

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Route
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT
from tinyguardrail_sdk.training import calibrate as calibration
from tinyguardrail_sdk.training import evaluate as evaluation
from tinyguardrail_sdk.training import train as training
from tinyguardrail_sdk.training.checkpoint import FACTS, RunFolder
from tinyguardrail_sdk.training.config import TrainConfig, load_config
from tinyguardrail_sdk.training.data.generate import GenerateConfig, build
from tinyguardrail_sdk.training.data.mine import MineConfig
from tinyguardrail_sdk.training.data.mine import mine as mine_examples
from tinyguardrail_sdk.training.data.report import summarise
from tinyguardrail_sdk.training.data.schema import read_examples, write_examples
from tinyguardrail_sdk.training.data.split import split
from tinyguardrail_sdk.training.export.bundle import export as export_checkpoint
from tinyguardrail_sdk.training.judging import judge_texts, judge_windows
from tinyguardrail_sdk.training.reporter import counting, print_json
from tinyguardrail_sdk.training.rows import read_rows
from tinyguardrail_sdk.training.tables import render

_DONE, _INTERRUPTED = 0, 130

# Flag -> field of the configuration.
_FLAGS = {
    "train": "data.train", "validation": "data.validation", "vocab": "data.vocab",
    "output": "output", "init": "init", "seed": "seed", "threads": "threads",
    "max_minutes": "schedule.max_minutes", "max_steps": "schedule.max_steps",
    "epochs": "schedule.epochs",
}  # fmt: skip


def generate(arguments: argparse.Namespace) -> int:
    """Write train, validation and test sets, and `data.json`."""
    chosen: dict[str, Any] = {"seed": arguments.seed, "pools": tuple(arguments.pool)}
    if arguments.total is not None:
        chosen["total"] = arguments.total
    if arguments.terms:
        chosen["terms"] = frozenset(arguments.terms)
    try:
        parts = split(build(GenerateConfig(**chosen)))
    except ValueError as error:  # a pool row, licence group or count that makes no sense
        raise InputError(str(error)) from error
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, examples in parts.items():
        write_examples(arguments.output / f"{name}.jsonl.gz", examples)
    facts = {
        "seed": arguments.seed,
        "pools": [path.name for path in arguments.pool],
        **{name: summarise(examples) for name, examples in parts.items()},
    }
    report = json.dumps(facts, indent=2, default=_as_json) + "\n"
    (arguments.output / "data.json").write_text(report, encoding="utf-8")
    print_json({name: len(examples) for name, examples in parts.items()})
    return _DONE


def mine(arguments: argparse.Namespace) -> int:
    """Score a training set and keep its hard part."""
    try:
        config = MineConfig(arguments.sure, arguments.keep_known, arguments.seed)
    except ValueError as error:
        raise InputError(str(error)) from error
    examples = list(read_examples(arguments.data))
    with counting("score") as progress:
        scores, _ = judge_texts(
            arguments.checkpoint or DEFAULT_CHECKPOINT,
            read_rows([arguments.data], {}),
            force=None if arguments.route == "routed" else Route(arguments.route),
            workers=arguments.workers,
            progress=progress,
        )
    kept = mine_examples(examples, scores, config)
    write_examples(arguments.output, kept)
    counts = {name: Counter(str(e.label) for e in part) for name, part in
              (("read", examples), ("kept", kept))}  # fmt: skip
    print_json(counts)
    return _DONE


def train(arguments: argparse.Namespace) -> int:
    """Train or resume."""
    result = training.main(_train_config(arguments), resume=arguments.resume)
    print_json({**vars(result), "folder": str(result.folder)})
    return _INTERRUPTED if result.reason == "interrupted" else _DONE


def calibrate(arguments: argparse.Namespace) -> int:
    """Fit on validation texts and write the manifest."""
    chosen: dict[str, Any] = {
        name: value
        for name in ("fast_share", "most_escalated")
        if (value := getattr(arguments, name)) is not None
    }
    chosen["false_alarms"] = {**calibration.Targets().false_alarms, **dict(arguments.target)}
    chosen["floors"] = {**calibration.Targets().floors, **dict(arguments.floor)}
    targets = calibration.Targets(**chosen)
    rows = read_rows(arguments.validation, {})
    if odd := sorted({row.label for row in rows} - set(map(str, LABELS))):
        raise InputError(f"validation texts of class {odd[0]}; known: {', '.join(LABELS)}")
    with counting("score") as progress:
        scores = judge_windows(
            arguments.checkpoint, rows, workers=arguments.workers, progress=progress
        )
    found = calibration.calibrate(scores, targets)
    manifest = calibration.write_calibration(arguments.checkpoint, found, targets)
    shown = {"thresholds", "temperature", "route_threshold", "escalate_below"}
    print_json({**manifest.model_dump(mode="json", include=shown), **found.report})
    return _DONE


def evaluate(arguments: argparse.Namespace) -> int:
    """Score sets, show tables, end in one JSON line."""
    with counting("score") as progress:
        report = evaluation.evaluate(
            arguments.checkpoint or DEFAULT_CHECKPOINT,
            arguments.paths,
            source_map=dict(arguments.source_map),
            force=None if arguments.route == "routed" else Route(arguments.route),
            workers=arguments.workers,
            progress=progress,
        )
    console = Console(width=200)
    for table in render(report):
        console.print(table)
    if arguments.output:
        arguments.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print_json({**report, "tables": report["tables"]["all"]})
    return _DONE


def export(arguments: argparse.Namespace) -> int:
    """Write an INT8 checkpoint."""
    manifest = export_checkpoint(
        arguments.folder, arguments.output, model_version=arguments.model_version
    )
    print_json(manifest.model_dump(mode="json", include={"name", "model_version", "files"}))
    return _DONE


def _train_config(arguments: argparse.Namespace) -> TrainConfig:
    overrides = [
        f"{field}={json.dumps(value, default=_as_json)}"
        for flag, field in _FLAGS.items()
        if (value := getattr(arguments, flag)) is not None
    ] + arguments.set
    if not arguments.resume or arguments.config:
        return load_config(arguments.config, overrides)
    latest = RunFolder(load_config(None, overrides).output).latest()
    return load_config(latest / FACTS, overrides, section="config")


def _as_json(value: object) -> str:
    return str(value)
