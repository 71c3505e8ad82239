"""What a person and a program see of a run: a bar, lines, the result, and `metrics.jsonl`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from tinyguardrail_sdk.training.run_files import METRICS


def print_json(value: object, *, shown: bool = False) -> None:
    """Write a result as the one line that programs read; on a terminal in lines for people.

    Args:
        value: The result.
        shown: People have seen it, in tables or words: a terminal gets no more.
    """
    people = sys.stdout.isatty()
    if not (people and shown):
        sys.stdout.write(json.dumps(value, indent=2 if people else None, default=str) + "\n")


def tell(line: str) -> None:
    """Say something beside the result."""
    sys.stderr.write(f"tinyguardrail: {line}\n")


class Reporter:
    """Shows progress and appends records, one JSON line each, flushed at once.

    Args:
        folder: Of the run.
        enabled: False in all processes but the first.
        resumed_step: Records of later steps are dropped: they will be written again.
        track: Also takes every record.
    """

    def __init__(
        self,
        folder: Path,
        *,
        enabled: bool,
        resumed_step: int | None,
        track: Callable[[dict[str, Any]], None],
    ) -> None:
        self._enabled = enabled
        self._track = track
        self._path = folder / METRICS
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}"),
            console=self._console,
            disable=not (enabled and self._console.is_terminal),
        )
        self._task = self._bar.add_task("train", total=1.0, facts="")
        if enabled:
            self._rewrite(resumed_step)

    def __enter__(self) -> Reporter:
        """Start the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the bar."""
        self._bar.stop()

    def advance(self, progress: float) -> None:
        """Move the bar to a share of the run."""
        self._bar.update(self._task, completed=progress)

    def record(self, record: dict[str, Any], summary: str) -> None:
        """Append a record, and show its summary.

        Raises:
            OSError: It could not be written.
        """
        if not self._enabled:
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        self._track(record)
        self._bar.update(self._task, facts=summary)
        if not self._console.is_terminal:
            self.say(f"step {record['step']}  {summary}")

    def say(self, message: str) -> None:
        """Show a line above the bar."""
        if self._enabled:
            self._console.print(message, markup=False, highlight=False, soft_wrap=True)

    def _rewrite(self, resumed_step: int | None) -> None:
        kept = []
        if resumed_step is not None and self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines(keepends=True):
                try:
                    early = json.loads(line)["step"] <= resumed_step
                except (ValueError, KeyError):  # a line that a crash cut short
                    early = False
                if early:
                    kept.append(line)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Whole before it takes the other's place: a full disk must not cost the records so far.
        unfinished = self._path.with_name(f".{METRICS}.unfinished")
        unfinished.write_text("".join(kept), encoding="utf-8")
        unfinished.replace(self._path)


def training_line(record: dict[str, Any]) -> str:
    """A `train` record in a few words."""
    return (
        f"loss {record['loss']:.4f}  fast {record['fast_share']:.2f}  "
        f"{record['tokens_per_second']:,.0f} tokens/s  {100 * record['progress']:.1f} %"
    )


def mutation_line(record: dict[str, Any]) -> str:
    """A `mutation` record in a few words."""
    return (
        f"kept {record['kept']} of {record['variants']} mutants, "
        f"loss {record['kept_loss']:.4f} of {record['loss']:.4f}"
    )


def validation_line(report: dict[str, Any]) -> str:
    """A validation report in a few words."""
    parts = [
        f"{name} F1 {report[name]['macro_f1']:.4f} loss {report[name]['loss']:.4f}"
        for name in ("fast", "deep")
    ]
    if "robust" in report:
        pgd = report["robust"]["pgd"]
        parts.append(f"under PGD {pgd['fast']['accuracy']:.3f} {pgd['deep']['accuracy']:.3f}")
    return f"validation {report['score']:.4f}  {'  '.join(parts)}"
