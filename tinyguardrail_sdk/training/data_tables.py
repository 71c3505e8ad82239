"""The catalogue, a mix and an audit as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.table import Table

from tinyguardrail_sdk.labels import LABELS
from tinyguardrail_sdk.training.data.dataset import Dataset

_MOST_ROWS = 12  # of one table; the JSON result holds all


def catalogue_table(datasets: Iterable[Dataset]) -> Table:
    """Data sets by name, with what a user must know before fetching."""
    table = Table("name", "rows are for", "licence", "terms", title="data sets")
    table.add_column("home", overflow="fold")
    table.add_column("note")
    for dataset in datasets:
        note = "; ".join(filter(None, ("wants a login" if dataset.gated else "", dataset.note)))
        terms = sorted({file.terms or dataset.terms for file in dataset.files})
        table.add_row(
            dataset.name, dataset.use, dataset.licence, ", ".join(terms), dataset.home, note
        )
    return table


def mix_tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """What each file gave, and what the parts hold."""
    reasons = list(report["dropped"])
    table = _numbers("files", "file", ("read", "kept", *reasons))
    for entry in report["files"]:
        dropped = (entry["dropped"].get(reason, 0) for reason in reasons)
        _add(table, entry["name"], (entry["read"], entry["kept"], *dropped))
    yield table
    table = _numbers("result", "part", ("rows", *LABELS))
    for name, part in report["parts"].items():
        _add(table, name, (part["rows"], *part["label"].values()))
    yield table


def audit_tables(report: Mapping[str, Any]) -> Iterator[Table]:
    """Classes, what they go with, shortcuts, diversity and copies."""
    table = _numbers("classes", "class", ("rows", "families", *_quantiles(report)))
    for label, count in report["by"]["label"].items():
        quantiles = report["chars"][label].values()
        _add(table, label, (count, report["families"][label], *quantiles))
    yield table
    for name, values in report["across"].items():
        table = _numbers(f"classes by {name}", name, ("rows", *LABELS))
        for value, counts in list(values.items())[:_MOST_ROWS]:
            _add(table, value, (sum(counts.values()), *(counts.get(str(k), 0) for k in LABELS)))
        if len(values) > _MOST_ROWS:
            table.caption = f"{len(values) - _MOST_ROWS} more in what --output writes"
        yield table
    yield _shares(
        "licence groups", {k: n / report["rows"] for k, n in report["by"]["terms"].items()}
    )
    yield _shares("copies", report["copies"])
    yield from _shortcuts(report["shortcuts_fitted"])
    table = _numbers("word n-grams", "texts", ("looked at", *(f"distinct {n}" for n in _GRAMS)))
    for name, found in report["diversity"].items():
        shares = (f"{100 * found[f'share_{n}']:.1f} %" for n in _GRAMS)
        _add(table, name, (found["texts"], *shares))
    yield table


_GRAMS = (1, 2, 3, 4)


def _quantiles(report: Mapping[str, Any]) -> list[str]:
    longest = max(report["chars"].values(), key=len)
    return [f"chars {name}" for name in longest]


def _shortcuts(found: Mapping[str, Any]) -> Iterator[Table]:
    if not found:
        return
    table = _numbers("shortcuts: a small tree on it alone", "property", ("AUROC", "accuracy"))
    table.caption = f"always guessing the largest class: {100 * found['majority']:.1f} %"
    for name, entry in found["by"].items():
        told = "" if entry["auroc"] is None else f"{entry['auroc']:.3f}"
        _add(table, name, (told, f"{100 * entry['accuracy']:.1f} %"))
    yield table


def _shares(title: str, shares: Mapping[str, float]) -> Table:
    table = _numbers(title, "", ("share of rows",))
    for name, share in shares.items() or (("none", 0.0),):
        _add(table, name, (f"{100 * share:.2f} %",))
    return table


def _numbers(title: str, first: str, names: Iterable[str]) -> Table:
    table = Table(title=title)
    table.add_column(first)
    for name in names:
        table.add_column(str(name), justify="right")
    return table


def _add(table: Table, name: str, values: Iterable[object]) -> None:
    table.add_row(name, *map(str, values))
