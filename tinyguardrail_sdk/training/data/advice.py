"""What an audit found, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.training.data.pools import FORBIDDEN_TERMS

_TELLING = 0.65  # AUROC from which one property alone is a shortcut
_TELLING_TOGETHER = 0.75
_COPIES = 0.01
_RARE_CLASS = 0.05
_LARGEST_UPSTREAM = 0.5  # of the collected rows
_ONE_CLASS_ROWS = 100  # a language or upstream of one class with fewer rows is left alone

_NAMES = {"signs": "signs (marks, capitals, not ASCII, a small first letter)"}
_CURES = {
    "length": "add benign texts as long as the attacks, and attacks as short as the benign texts",
    "lines": "add benign texts with as many lines as the attacks, and the reverse",
    "signs": "add benign code, tables and shouting, and attacks in plain prose",
    "format": "plant attacks into every format that has clean texts, and add clean texts of every "
    "format that has attacks (`data generate` makes such pairs)",
    "ending": "let attacks and benign texts end in the same ways: questions, statements, code",
    "script": "add attacks in the scripts of the benign texts, and the reverse",
    "source": "every source needs attacks and benign texts; `data mix --share` does not mend this",
    "all together": "look at the strongest properties first, then audit again",
}


def warnings_of(report: Mapping[str, Any]) -> list[str]:
    """Warnings of an audit, the shortcuts first.

    Args:
        report: Result of `audit.audit`, without its warnings.
    """
    return [*_shortcuts(report), *_one_class(report), *_contents(report), *_copies(report)]


def _shortcuts(report: Mapping[str, Any]) -> Iterator[str]:
    found = report["shortcuts_fitted"]
    if not found:
        yield "too few rows of two classes to look for shortcuts: 50 of each are needed"
        return
    by = found["by"]
    for name in sorted(by, key=lambda name: -(by[name]["auroc"] or 0)):
        told, together = by[name]["auroc"], name == "all together"
        if told is not None and told >= (_TELLING_TOGETHER if together else _TELLING):
            alone = f"{_NAMES.get(name, name)} alone"
            what = "all outward properties together" if together else alone
            yield (
                f"{what} can tell attacks from benign texts (AUROC {told:.2f}; classes "
                f"{100 * by[name]['accuracy']:.0f} % right, always guessing the largest: "
                f"{100 * found['majority']:.0f} %): {_CURES[name]}"
            )


def _one_class(report: Mapping[str, Any]) -> Iterator[str]:
    for name in ("language", "upstream"):
        table = report["across"][name]
        pure = {k: v for k, v in table.items() if len(v) == 1 and k != "own"}
        large = {k: sum(v.values()) for k, v in pure.items() if sum(v.values()) >= _ONE_CLASS_ROWS}
        if large and len(table) > 1:
            first = next(iter(large))
            yield (
                f"{len(large)} values of {name} have one class only ({sum(large.values())} rows; "
                f"the largest: {first}, {large[first]} rows, all {next(iter(pure[first]))}): "
                "its style may be learnt for the class; add the other side, or cap it"
            )


def _contents(report: Mapping[str, Any]) -> Iterator[str]:
    rows, by = report["rows"], report["by"]
    for label, count in by["label"].items():
        if count < _RARE_CLASS * rows:
            yield f"class {label} has {count} of {rows} rows: add some, or thin out the others"
    collected = {k: sum(v.values()) for k, v in report["across"]["upstream"].items() if k != "own"}
    largest = max(collected, key=lambda name: collected[name], default="")
    if len(collected) > 1 and collected[largest] > _LARGEST_UPSTREAM * sum(collected.values()):
        yield (
            f"{largest} makes up most collected rows ({collected[largest]} of "
            f'{sum(collected.values())}): thin it out with `data mix --cap "{largest}=N"`'
        )
    for terms in sorted(FORBIDDEN_TERMS & by["terms"].keys()):
        yield (
            f"{by['terms'][terms]} rows are under {terms} terms: `data mix` leaves them out unless "
            "asked, and a checkpoint that others may sell must not be trained on them"
        )


def _copies(report: Mapping[str, Any]) -> Iterator[str]:
    copies = report["copies"]
    if share := copies.get("copy of another class"):
        yield (
            f"{100 * share:.2f} % of the rows have the text of an earlier row and another class: "
            "correct them; `data mix` keeps the earlier one"
        )
    if (share := copies.get("copy", 0) + copies.get("near copy", 0)) >= _COPIES:
        yield f"{100 * share:.1f} % of the rows are copies or near copies: `data mix` drops them"
