"""The evaluation tables as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from tinyguardrail_sdk.labels import Mode
from tinyguardrail_sdk.training.compare import Change

# Groupings shown; the JSON result holds more.
_SHOWN = ("all", "set", "source", "length", "language")
_FIRST, *_, _LAST = Mode


def render(report: dict[str, Any]) -> Iterator[Table]:
    """Tables of the result of `evaluate.evaluate`, for 100 columns; intervals are 95 % Wilson.

    One for each grouping, with a row for each mode; then one of what has no threshold.
    """
    for grouping in _SHOWN:
        table = Table(title=f"by {grouping}" if grouping != "all" else "all texts")
        table.add_column(grouping)
        table.add_column("mode")
        table.add_column("attacks caught", justify="right")
        table.add_column("benign flagged", justify="right")
        for group, entry in report["tables"][grouping].items():
            for mode in Mode:
                name = group if mode is _FIRST else ""
                rates = (shown_rate(entry[column][str(mode)]) for column in ("caught", "flagged"))
                table.add_row(name, str(mode), *rates, end_section=mode is _LAST)
        yield table
    yield _quality(report["tables"])
    if apart := report["tables"]["apart"]:
        table = Table("set/label", "mode", title="apart")
        table.add_column("flagged", justify="right")
        for group, entry in apart.items():
            for mode in Mode:
                name = group if mode is _FIRST else ""
                rate = shown_rate(entry["flagged"][str(mode)])
                table.add_row(name, str(mode), rate, end_section=mode is _LAST)
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
        table.add_row(name, hides, shown_rate(entry["caught"]), shown_rate(entry["flagged"]))
    return table


def render_changes(changes: Mapping[str, Change]) -> Table:
    """What a comparison found, group by group, for 100 columns: shares of right decisions."""
    table = Table(title="right decisions")
    table.add_column("group", max_width=22, overflow="fold")  # a name is folded, never cut off
    for name in ("texts", "before", "after", "points", "broken", "mended", "chance"):
        table.add_column(name, justify="right")
    table.add_column("result")
    for group, change in changes.items():
        before, after = (100 * right / change.texts for right in (change.before, change.after))
        table.add_row(
            group,
            str(change.texts),
            f"{before:.1f} %",
            f"{after:.1f} %",
            f"{after - before:+.1f}",
            str(change.broken),
            str(change.mended),
            f"{change.chance:.3f}",
            "worse" if change.worse else "",
        )
    return table


def _quality(tables: dict[str, Any]) -> Table:
    table = Table("texts", title="whatever the threshold")
    for name in ("AUROC", "accuracy", "macro F1", "fast"):
        table.add_column(name, justify="right")
    for grouping in _SHOWN:
        for group, entry in tables[grouping].items():
            table.add_row(f"{grouping}/{group}" if grouping != "all" else group, *_cells(entry))
        table.add_section()
    return table


def _cells(entry: dict[str, Any]) -> Iterator[str]:
    yield "" if entry["auroc"] is None else f"{entry['auroc']:.4f}"
    yield f"{entry['accuracy']:.4f}"
    yield f"{entry['macro_f1']:.4f}"
    yield f"{100 * entry['fast']['rate']:.0f} %"


def shown_rate(entry: Mapping[str, Any]) -> str:
    """A rate of `Rate.to_dict` as `hits/total share [interval]`; empty where there is none."""
    if not entry["total"]:
        return ""
    low, high = 100 * entry["low"], 100 * entry["high"]
    share = 100 * entry["rate"]
    return f"{entry['hits']}/{entry['total']} {share:.1f} % [{low:.1f}, {high:.1f}]"
