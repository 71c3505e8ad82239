"""What each stage does: one function a stage, each a few calls of what its own command calls."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Mode
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT
from tinyguardrail_sdk.training import compare as comparison
from tinyguardrail_sdk.training import evaluate as evaluation
from tinyguardrail_sdk.training import train as training
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.counting import counting, counting_parts
from tinyguardrail_sdk.training.data.audit import AuditConfig
from tinyguardrail_sdk.training.data.audit import audit as audit_files
from tinyguardrail_sdk.training.data.fetch import FetchConfig
from tinyguardrail_sdk.training.data.fetch import fetch as fetch_sets
from tinyguardrail_sdk.training.data.generate import GenerateConfig
from tinyguardrail_sdk.training.data.jsonl import write_json
from tinyguardrail_sdk.training.data.kept import keeping
from tinyguardrail_sdk.training.data.mixture import MixConfig
from tinyguardrail_sdk.training.data.mixture import mix as mix_files
from tinyguardrail_sdk.training.data.parts import write_parts
from tinyguardrail_sdk.training.evaluate import Scored
from tinyguardrail_sdk.training.export.bundle import tell_staying
from tinyguardrail_sdk.training.export.release import ReleaseConfig, export_calibrated
from tinyguardrail_sdk.training.pipeline.config import PipelineConfig
from tinyguardrail_sdk.training.pipeline.layout import Layout
from tinyguardrail_sdk.training.report.assess import assess_scored
from tinyguardrail_sdk.training.report.build import PAGE, write_report
from tinyguardrail_sdk.training.report.history import read_history
from tinyguardrail_sdk.training.reporter import tell
from tinyguardrail_sdk.training.rows import Row, judged_rows, read_rows

Result = dict[str, Any]

FIGURES, SCORES = "evaluation.json", "scores.npz"


def fetch(config: PipelineConfig, layout: Layout) -> Result:
    """Fetch public data sets; one that cannot be had stops the run."""
    asked = FetchConfig(config.data.fetch, layout.fetched, frozenset(config.data.terms))
    found = fetch_sets(asked, counting)
    if found["failed"]:
        raise InputError("; ".join(found["failed"].values()))
    return {name: entry["rows"] for name, entry in found["fetched"].items()}


def generate(config: PipelineConfig, layout: Layout) -> Result:
    """Generate the three parts."""
    asked = GenerateConfig(
        seed=config.data.seed,
        total=config.data.samples,
        pools=config.data.pools,
        terms=frozenset(config.data.terms),
    )
    with keeping(layout.unfinished, tell) as kept, counting("generate") as progress:
        made = write_parts(
            asked, layout.generated, workers=config.workers, progress=progress, kept=kept
        )
    return {**made}


def mix(config: PipelineConfig, layout: Layout) -> Result:
    """Mix fetched and own texts into the generated ones."""
    public = (layout.fetched,) if config.data.fetch else ()
    asked = MixConfig(
        inputs=(layout.generated, *public, *config.data.inputs),
        # What a release is judged by must not have been learnt.
        against=(comparison.REGRESSION_SET, *config.data.against),
        terms=frozenset(config.data.terms),
        seed=config.data.seed,
    )
    with keeping(layout.unfinished, tell) as kept, counting("mix") as progress:
        report = mix_files(asked, layout.data, progress, kept)
    return {name: part["rows"] for name, part in report["parts"].items()}


def audit(config: PipelineConfig, layout: Layout) -> Result:
    """Describe what training learns from, and warn of what gives the class away."""
    asked = AuditConfig((layout.part("train"),), seed=config.data.seed)
    with keeping(layout.unfinished, tell) as kept, counting("audit") as progress:
        report = audit_files(asked, progress, kept)
        write_json(layout.audit, report)
    for warning in report["warnings"]:
        tell(warning)
    return {"rows": report["rows"], "warnings": len(report["warnings"])}


def train(config: PipelineConfig, layout: Layout) -> Result:
    """Train, or go on from the last checkpoint.

    Raises:
        KeyboardInterrupt: A signal stopped the training, which saved itself.
    """
    made = training.main(training_config(config, layout), resume=bool(layout.run.steps()))
    if made.reason == "interrupted":
        raise KeyboardInterrupt
    return {"reason": made.reason, "step": made.step, "best": made.best}


def training_config(config: PipelineConfig, layout: Layout) -> TrainConfig:
    """What the training is told."""
    data = dataclasses.replace(
        config.train.data,
        train=(layout.part("train"),),
        validation=(layout.part("validation"),),
    )
    return dataclasses.replace(config.train, output=layout.run.root, data=data)


def export(config: PipelineConfig, layout: Layout) -> Result:
    """Write the calibrated checkpoint; it appears when it is whole."""
    asked = ReleaseConfig(
        model_version=config.export.model_version,
        validation=(layout.part("validation"),),
        targets=config.calibration,
        workers=config.workers,
        four_bit=config.export.four_bit,
    )
    made = layout.unfinished / "export" / layout.checkpoint.name
    with keeping(layout.unfinished, tell) as kept:
        with counting_parts() as progress:
            manifest = export_calibrated(layout.run.best, made, asked, progress, kept)
        shutil.rmtree(layout.checkpoint, ignore_errors=True)
        made.rename(layout.checkpoint)
    size = sum(path.stat().st_size for path in layout.checkpoint.iterdir())
    return {"bytes": size, "model_version": asked.model_version, **tell_staying(manifest)}


def evaluate(config: PipelineConfig, layout: Layout) -> Result:
    """Score the test part, and keep what every text got for the report."""
    rows = judged_rows([layout.part("test")], {})
    with keeping(layout.unfinished, tell) as kept, counting("evaluate") as progress:
        scored = evaluation.score(
            layout.checkpoint, rows, workers=config.workers, progress=progress, kept=kept
        )
        layout.evaluation.mkdir(parents=True, exist_ok=True)
        np.savez(layout.evaluation / SCORES, scores=scored.scores, fast=scored.fast)
        report = evaluation.summarise(layout.checkpoint, scored, None)
        write_json(layout.evaluation / FIGURES, report)
    return _headline(report["tables"]["all"]["all"])


def compare(config: PipelineConfig, layout: Layout) -> Result:
    """Hold the checkpoint against the one that ships, on the built-in regression set."""
    rows = _spread(read_rows([comparison.REGRESSION_SET], {}), config.compare.texts)
    with keeping(layout.unfinished, tell) as kept, counting_parts() as progress:
        changes = comparison.compare(
            layout.checkpoint,
            DEFAULT_CHECKPOINT,
            rows,
            comparison.Gate(),
            workers=config.workers,
            progress=progress,
            kept=kept,
        )
        summary = comparison.summary(changes)
        write_json(layout.comparison, {"texts": len(rows), **summary})
    return {"texts": len(rows), "worse": summary["worse"]}


def report(config: PipelineConfig, layout: Layout) -> Result:
    """Write page and pictures, and the figures of the whole run."""
    test = [layout.part("test")]
    with np.load(layout.evaluation / SCORES) as kept:
        scored = Scored(judged_rows(test, {}), kept["scores"], kept["fast"])
    found = assess_scored(layout.checkpoint, test, scored)
    figures = write_report(layout.report, read_history(layout.run.root), found, test)
    tables = json.loads((layout.evaluation / FIGURES).read_text(encoding="utf-8"))["tables"]
    compared = json.loads(layout.comparison.read_text(encoding="utf-8"))
    headline = _headline(tables["all"]["all"])
    write_json(layout.metrics, {"headline": headline, "comparison": compared, **figures})
    return {"page": PAGE, "notes": figures["notes"]}


def _headline(whole: dict[str, Any]) -> Result:
    """The measures of all texts that a person asks for first."""
    shown = {name: whole[name] for name in ("texts", "attacks", "accuracy", "macro_f1", "auroc")}
    return {**shown, **{name: whole[name][Mode.BALANCED] for name in ("caught", "flagged")}}


def _spread(rows: Sequence[Row], most: int) -> Sequence[Row]:
    if not 0 < most < len(rows):
        return rows
    return [rows[place * len(rows) // most] for place in range(most)]
