"""The tables of the page: by class, technique, set, source, length and language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.labels import LABELS, Mode
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.report.markup import cell, rate_cell, table

_BALANCED = str(Mode.BALANCED)


def class_table(measures: Mapping[str, Any], title: str) -> str:
    """Precision, recall and F1 of every class, from a `metrics.classification`."""
    counts = measures["confusion"]
    rows = []
    for place, label in enumerate(LABELS):
        called = sum(row[place] for row in counts)
        right, total = counts[place][place], sum(counts[place])
        rates = (metrics.rate(right, called), metrics.rate(right, total))
        f1 = measures["per_class"][str(label)]["f1"] if total else None
        cells = [cell(total), *(rate_cell(rate.to_dict()) for rate in rates), cell(f1)]
        rows.append((str(label), cells))
    return table(title, ("class", "texts", "precision", "recall", "F1"), rows)


def mode_table(tables: Mapping[str, Any]) -> str:
    """What each mode catches and flags over all texts."""
    whole = tables["all"]["all"]
    rows = [
        (str(mode), [rate_cell(whole[column][str(mode)]) for column in ("caught", "flagged")])
        for mode in Mode
    ]
    return table("By mode", ("mode", "attacks caught", "benign flagged"), rows)


def group_tables(tables: Mapping[str, Any]) -> Iterator[str]:
    """A table for every grouping, the long ones folded."""
    for grouping, title in (
        ("source", "By source"),
        ("length", "By length"),
        ("language", "By language"),
        ("set", "By set"),
    ):
        if len(tables[grouping]) > 1 or grouping != "set":
            yield _group_table(title, tables[grouping])
    techniques = _group_table("By technique", _ordered(tables["kind"]))
    yield f"<details><summary>Every technique and kind of benign text ({len(tables['kind'])})"
    yield f"</summary>{techniques}</details>"
    if apart := tables["apart"]:
        rows = [
            (name, [cell(entry["texts"]), rate_cell(entry["flagged"][_BALANCED])])
            for name, entry in apart.items()
        ]
        yield table("Apart: of no class above, counted nowhere else",
                    ("set and label", "texts", "flagged"), rows)  # fmt: skip


def _group_table(title: str, groups: Mapping[str, Any]) -> str:
    rows = [
        (
            name.partition(": ")[2] or name,  # lengths carry a number that sorts them
            [
                cell(entry["texts"]),
                rate_cell(entry["caught"][_BALANCED]),
                rate_cell(entry["flagged"][_BALANCED]),
                cell(entry["auroc"]),
                cell(entry["macro_f1"]),
                rate_cell(entry["fast"]),
            ],
        )
        for name, entry in groups.items()
    ]
    columns = (
        title.removeprefix("By "), "texts", "attacks caught", "benign flagged", "AUROC",
        "macro F1", "fast branch",
    )  # fmt: skip
    return table(title, columns, rows)


def _ordered(groups: Mapping[str, Any]) -> dict[str, Any]:
    """Groups with attacks first, then by size."""

    def key(name: str) -> tuple[bool, int, str]:
        return not groups[name]["attacks"], -groups[name]["texts"], name

    return {name: groups[name] for name in sorted(groups, key=key)}
