"""What a run folder holds: its records, and the facts beside its weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.checkpoint import load_facts
from tinyguardrail_sdk.training.run_files import FACTS, METRICS, trained_weights

Record = dict[str, Any]

BRANCHES = ("fast", "deep")


@dataclass(frozen=True)
class History:
    """A run, as far as it went.

    Attributes:
        name: Of its folder.
        train: `train` records, by step.
        validations: `validation` records, by step.
        facts: `training.json` of `best`, else of the last checkpoint; empty before the first.
    """

    name: str
    train: Sequence[Record]
    validations: Sequence[Record]
    facts: Record

    @property
    def best(self) -> Record | None:
        """The validation whose weights are in `best`, or None before the first one.

        Not always that of the highest score: quantisation makes the choice begin anew.
        """
        if not self.validations:
            return None
        step = self.facts.get("position", {}).get("best_step")
        chosen = [record for record in self.validations if record["step"] == step]
        return chosen[-1] if chosen else max(self.validations, key=lambda record: record["score"])

    @property
    def peaks(self) -> dict[str, float]:
        """Peak learning rates by group of weights; empty where the run kept no configuration."""
        optimizer = self.facts.get("config", {}).get("optimizer", {})
        names = {"transferred weights": "lr", "new weights": "new_lr"}
        return {group: optimizer[name] for group, name in names.items() if name in optimizer}

    def gaps(self, branch: str) -> list[tuple[int, float]]:
        """Steps, and by how much a validation window costs more than a training window did.

        The training loss is the mean since the validation before. It is measured with dropout and
        on weights still moving, so a gap a little below 0 is no wonder.
        """
        found = []
        before = 0
        for record in self.validations:
            losses = [
                line["branches"][branch]["loss"]
                for line in self.train
                if before < line["step"] <= record["step"] and branch in line.get("branches", {})
            ]
            if losses and "window_loss" in record[branch]:
                gap = record[branch]["window_loss"] - sum(losses) / len(losses)
                found.append((record["step"], gap))
            before = record["step"]
        return found

    def summary(self) -> Record:
        """The figures of the run, as JSON types."""
        best = self.best
        chosen = {} if best is None else {branch: dict(self.gaps(branch)) for branch in BRANCHES}
        steps = [record["step"] for record in (*self.train, *self.validations)]
        shown = ("version", "code", "parameters", "windows", "corpora")
        return {
            "folder": self.name,
            "steps": max(steps),
            **{name: self.facts[name] for name in shown if name in self.facts},
            "peak_learning_rates": self.peaks,
            "overfitting_gap": {
                branch: gaps.get(best["step"] if best else -1) for branch, gaps in chosen.items()
            },
            "last_training": self.train[-1] if self.train else None,
            "last_validation": self.validations[-1] if self.validations else None,
            "best_validation": best,
            # The last, for it is longer than all the rest.
            **({"config": self.facts["config"]} if "config" in self.facts else {}),
        }


def read_history(folder: Path) -> History:
    """Read a run folder, finished or not, and change nothing in it.

    Raises:
        InputError: The folder holds no run, or no record yet.
    """
    path = folder / METRICS
    if not path.is_file():
        hint = f"give the run folder, {folder.parent}" if (folder / FACTS).is_file() else (
            "give a folder that `tinyguardrail train --output` wrote"
        )  # fmt: skip
        raise InputError(f"{folder}: no {METRICS} in it; {hint}")
    records = [record for line in path.read_text(encoding="utf-8").splitlines()
               if (record := _parsed(line))]  # fmt: skip
    if not records:
        raise InputError(f"{path}: no record yet; let the run reach its first log line")
    kinds = {
        kind: [record for record in records if record["kind"] == kind]
        for kind in ("train", "validation")
    }
    name = folder.resolve().name
    return History(name, kinds["train"], kinds["validation"], _facts(folder))


def _parsed(line: str) -> Record | None:
    try:
        record: Record = json.loads(line)
    except ValueError:  # the line that is being written, or that a crash cut short
        return None
    return record


def _facts(folder: Path) -> Record:
    found = trained_weights(folder)
    return {} if found is None else load_facts(found)
