"""The evaluation tables as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from tinyguardrail_sdk.labels import Mode
from tinyguardrail_sdk.training.compare import Change

# Groupings shown; the JSON result holds more.
_SHOWN = ("all", "set", "source", "length", "language")


def render(report: dict[str, Any]) -> Iterator[Table]:
    """Tables of the result of `evaluate.evaluate`; intervals are 95 % Wilson."""
    for grouping in _SHOWN:
        table = Table(title=f"by {grouping}" if grouping != "all" else "all texts")
        table.add_column(grouping)
        for mode in Mode:
            table.add_column(f"attacks caught, {mode}", justify="right")
        for mode in Mode:
            table.add_column(f"benign flagged, {mode}", justify="right")
        for name in ("AUROC", "accuracy", "macro F1", "fast"):
            table.add_column(name, justify="right")
        for group, entry in report["tables"][grouping].items():
            table.add_row(group, *_cells(entry))
        yield table
    if apart := report["tables"]["apart"]:
        table = Table("set/label", *(f"flagged, {mode}" for mode in Mode), title="apart")
        for group, entry in apart.items():
            table.add_row(group, *(_rate(entry["flagged"][str(mode)]) for mode in Mode))
        yield table


def render_robustness(report: dict[str, Any]) -> Table:
    """Table of the result of `robustness.under_mutation`; intervals are 95 % Wilson."""
    table = Table(title=f"under mutation, {report['mode']}")
    table.add_column("mutation")
    table.add_column("hides")
    table.add_column("still caught", justify="right")
    table.add_column("benign flagged", justify="right")
    rows = {"(as they are)": {"hides": False, **report["plain"]}, **report["mutations"]}
    for name, entry in rows.items():
        hides = "yes" if entry["hides"] else ""
        table.add_row(name, hides, _rate(entry["caught"]), _rate(entry["flagged"]))
    return table


def render_changes(changes: Mapping[str, Change]) -> Table:
    """What a comparison found, group by group."""
    table = Table("texts", "before", "after", "broken", "mended", "chance", "", title="decisions")
    for group, change in changes.items():
        entry = change.to_dict()
        table.add_row(
            group,
            _rate(entry["before"]),
            _rate(entry["after"]),
            str(change.broken),
            str(change.mended),
            f"{change.chance:.3f}",
            "worse" if change.worse else "",
        )
    return table


def _cells(entry: dict[str, Any]) -> Iterator[str]:
    for column in ("caught", "flagged"):
        for mode in Mode:
            yield _rate(entry[column][str(mode)])
    yield "" if entry["auroc"] is None else f"{entry['auroc']:.4f}"
    yield f"{entry['accuracy']:.4f}"
    yield f"{entry['macro_f1']:.4f}"
    yield f"{100 * entry['fast']['rate']:.0f} %"


def _rate(entry: dict[str, Any]) -> str:
    if not entry["total"]:
        return ""
    low, high = 100 * entry["low"], 100 * entry["high"]
    share = 100 * entry["rate"]
    return f"{entry['hits']}/{entry['total']} {share:.1f} % [{low:.1f}, {high:.1f}]"
