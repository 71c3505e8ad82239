"""Writes the report: `final_metrics.json`, the pictures, and `report.html`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.data.jsonl import data_files, write_json
from tinyguardrail_sdk.training.report.assess import Assessment
from tinyguardrail_sdk.training.report.history import History
from tinyguardrail_sdk.training.report.page import page
from tinyguardrail_sdk.training.report.run_pictures import run_pictures
from tinyguardrail_sdk.training.report.score_pictures import score_pictures
from tinyguardrail_sdk.version import __version__

FIGURES, PAGE = "final_metrics.json", "report.html"


def write_report(
    output: Path,
    history: History | None,
    found: Assessment | None,
    data: Sequence[Path] = (),
) -> dict[str, Any]:
    """Write all files of a report; others in the folder stay.

    Args:
        output: Folder; made where it does not exist.
        history: The run, or None.
        found: The measurement, or None.
        data: What was measured on, to tell whether the run saw it.

    Returns:
        The contents of `final_metrics.json`, as JSON types.

    Raises:
        InputError: There is neither run nor measurement.
    """
    if history is None and found is None:
        raise InputError("a report is of a run or of data: give --run, --data or both")
    output.mkdir(parents=True, exist_ok=True)
    notes = list(_notes(history, found, data))
    of_run = [] if history is None else list(run_pictures(history))
    of_scores = [] if found is None else list(score_pictures(found))
    created = datetime.now(timezone.utc)
    figures = {
        "package": __version__,
        "created": created.isoformat(timespec="seconds"),
        "notes": notes,
        "run": None if history is None else history.summary(),
        "evaluation": None if found is None else found.to_dict(),
    }
    for drawing in (*of_scores, *of_run):
        (output / f"{drawing.name}.png").write_bytes(drawing.png())
    text = page(history, found, of_run, of_scores, notes, f"{created:%Y-%m-%d}")
    (output / PAGE).write_text(text, encoding="utf-8")
    write_json(output / FIGURES, figures)
    return figures


def _notes(
    history: History | None, found: Assessment | None, data: Sequence[Path]
) -> Iterator[str]:
    if found is None:
        yield "No checkpoint was scored: how it does on texts of its own is not in this report."
    if history is None:
        yield "No run folder was given: how the checkpoint was trained is not in this report."
        return
    if not any("branches" in record for record in history.train):
        yield (
            "The run kept no training loss by branch, so the curves of training loss and the "
            "overfitting gap are left out."
        )
    if not history.validations:
        yield "The run was never validated, so the curves of validation are left out."
    if found is None:
        return
    known = history.facts.get("corpora")
    if known is None or found.manifest.training.get("corpora") != known:
        yield "The checkpoint that was scored was not exported from this run: read them apart."
    used = history.facts.get("config", {}).get("data", {})
    for part in ("train", "validation"):
        seen = {Path(name).resolve() for name in used.get(part, ())}
        for path in data_files(data):
            if path.resolve() in seen:
                yield f"{path.name} is a {part} file of this run: its figures flatter."
