"""Pictures of what a checkpoint said of labelled texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tinyguardrail_sdk.labels import LABELS, Mode
from tinyguardrail_sdk.training.metrics import Rate
from tinyguardrail_sdk.training.report import canvas
from tinyguardrail_sdk.training.report.assess import Assessment
from tinyguardrail_sdk.training.report.canvas import COLOURS, INK, MUTED, Picture
from tinyguardrail_sdk.training.report.curves import ALL, BINS

_LEAST = 1e-4  # left end of the logarithmic ROC axis
# A picture of more techniques would not be read; the table of the page has all.
_TECHNIQUES = 28


def score_pictures(found: Assessment) -> Iterator[Picture]:
    """Every picture that the scores give."""
    yield confusion(
        found.whole["confusion"],
        "confusion",
        "Confusion",
        "Shares are of a row, the texts of one true class; the answer is the most probable class.",
    )
    if found.points:
        yield _detection(found)
        yield _roc(found)
    if found.bins:
        yield _reliability(found)
    yield from _techniques(found)
    yield _routing(found)


def confusion(counts: Sequence[Sequence[int]], name: str, title: str, caption: str) -> Picture:
    """A confusion matrix of the four classes, with counts and shares of the row."""
    table = np.array(counts)
    totals = table.sum(1, keepdims=True)
    shares = table / np.maximum(totals, 1)
    words = [
        [f"{count:,}\n{100 * count / total:.1f} %" if total else "" for count in row]
        for row, total in zip(counts, totals[:, 0], strict=True)
    ]
    drawing = canvas.figure(canvas.WIDTH, 3.4)
    on = canvas.axes(drawing, x="answered class", y="true class")
    canvas.cells(on, shares, words)
    names = [str(label) for label in LABELS]
    on.set_xticks(range(len(names)), names)
    on.set_yticks(range(len(names)), [
        f"{label}\n{total:,}" for label, total in zip(names, totals[:, 0], strict=True)
    ])  # fmt: skip
    return Picture(name, title, caption, drawing)


def _detection(found: Assessment) -> Picture:
    drawing = canvas.figure(canvas.WIDTH, 3.0)
    on = canvas.axes(drawing, x="attacks caught")
    names = list(found.points[0].caught)
    for point, offset, filled in zip(found.points, (0.17, -0.17), (False, True), strict=True):
        for row, name in enumerate(names):
            rate = point.caught[name]
            _interval(on, row + offset, rate, COLOURS[name], filled=filled)
            words = f"{100 * rate.value:.1f} % at {100 * point.allowed:g} %"
            _beside(on, rate, row + offset, words)
    on.set_yticks(range(len(names)), names)
    _rows(on, len(names))
    strict, usual = found.points
    return Picture(
        "detection",
        "Attacks caught at 0.1 % and 1 % false alarms",
        f"Filled: 1 % ({usual.flagged.hits} of {usual.flagged.total:,} benign texts flagged). "
        f"Open: 0.1 % ({strict.flagged.hits} of {strict.flagged.total:,})"
        + ("" if strict.resolved else ", too few benign texts to tell this rate from none")
        + ". Lines are 95 % intervals. These thresholds are read off the same texts; those that "
        "ship are in the tables.",
        drawing,
    )


def _roc(found: Assessment) -> Picture:
    drawing = canvas.figure()
    on = canvas.axes(drawing, x="benign texts flagged (logarithmic)", y="attacks caught")
    on.set_xscale("log")
    smallest = max(_LEAST, 0.5 / max(1, found.points[0].flagged.total))
    for name, curve in reversed(list(found.roc.items())):
        on.step(np.maximum(curve.false_alarms, smallest), curve.detection, where="post",
                color=COLOURS[name], linewidth=2.2 if name == ALL else 1.3)  # fmt: skip
    for point in found.points:
        on.axvline(point.allowed, color=MUTED, linewidth=0.6, dashes=(3, 3))
    on.set_xlim(smallest, 1.0)
    on.set_ylim(0.0, 1.02)
    on.xaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    canvas.percent_axis(on.yaxis)
    for line, (name, curve) in enumerate(reversed(list(found.roc.items()))):
        canvas.write(on, 0.98, 0.06 + 0.085 * line, f"{name}  {curve.area:.4f}", COLOURS[name],
                     ha="right", transform=on.transAxes)  # fmt: skip
    canvas.write(on, 0.98, 0.06 + 0.085 * len(found.roc), "area under the curve", MUTED,
                 ha="right", transform=on.transAxes)  # fmt: skip
    return Picture(
        "roc",
        "ROC",
        "Each class of attacks against all benign texts. Dashed: 0.1 % and 1 % false alarms.",
        drawing,
    )


def _reliability(found: Assessment) -> Picture:
    drawing = canvas.figure(canvas.WIDTH, 3.8)
    grid = drawing.add_gridspec(2, 1, height_ratios=(3, 1))
    on = canvas.axes(drawing, grid[0], y="answers that are right")
    on.plot((0, 1), (0, 1), color=MUTED, linewidth=0.8, dashes=(3, 3))
    for part in found.bins:
        right = part.right
        on.plot((part.confidence,) * 2, (right.low, right.high), color=COLOURS["deep"],
                linewidth=1.4)  # fmt: skip
        on.plot(part.confidence, right.value, "o", color=COLOURS["deep"], markersize=5)
    canvas.write(on, 0.98, 0.07, "dashed: as sure as right", MUTED, ha="right",
                 transform=on.transAxes)  # fmt: skip
    below = canvas.axes(drawing, grid[1], x="probability of the answer", y="texts", sharex=on)
    middles = [part.confidence for part in found.bins]
    counts = [part.right.total for part in found.bins]
    below.bar(middles, counts, width=0.4 / BINS, color=COLOURS["deep"])
    below.set_yticks([])
    for middle, count in zip(middles, counts, strict=True):
        height = count + 0.04 * max(counts)
        canvas.write(below, middle, height, f"{count:,}", MUTED, ha="center", va="bottom",
                     fontsize=7)  # fmt: skip
    below.margins(y=0.25)
    on.tick_params(labelbottom=False)
    canvas.percent_axis(on.yaxis)
    canvas.percent_axis(below.xaxis)
    low = min(0.5, *(part.confidence for part in found.bins)) if found.bins else 0.0
    on.set_xlim(max(0.0, low - 0.05), 1.02)
    on.set_ylim(min(0.2, *(part.right.low for part in found.bins)) - 0.02, 1.03)
    return Picture(
        "reliability",
        "Reliability",
        "Points below the dashed line are surer than they are right. Bars are 95 % intervals; "
        f"expected calibration error {found.whole['ece']:.4f}.",
        drawing,
    )


def _techniques(found: Assessment) -> Iterator[Picture]:
    kinds = found.summary["tables"]["kind"]
    for name, column, title, colour, worst_is_low in (
        ("techniques", "caught", "Attacks caught, by technique", COLOURS[ALL], True),
        ("false_alarms", "flagged", "Benign texts flagged, by kind", COLOURS["benign"], False),
    ):
        rates = {
            group: entry[column][str(Mode.BALANCED)]
            for group, entry in kinds.items()
            if entry[column][str(Mode.BALANCED)]["total"]
        }
        if len(rates) > 1:
            yield _rate_list(rates, name, title, colour, worst_is_low=worst_is_low)


def _rate_list(
    rates: Mapping[str, Mapping[str, Any]], name: str, title: str, colour: str, *,
    worst_is_low: bool,
) -> Picture:  # fmt: skip
    # By the end of the interval that is sure: one text of one must not lead the list.
    sign, end = (1, "high") if worst_is_low else (-1, "low")
    order = sorted(rates, key=lambda group: (sign * rates[group][end], group))
    shown = order[:_TECHNIQUES]
    drawing = canvas.figure(canvas.WIDTH, 0.8 + 0.2 * len(shown))
    on = canvas.axes(drawing, x=title.split(",")[0].lower())
    one_set = len({group.split("/")[0] for group in rates}) == 1
    labels = []
    for row, group in enumerate(shown):
        entry = rates[group]
        _interval(on, row, entry, colour)
        short = group.partition("/")[2] or group if one_set else group
        labels.append(f"{short}  {entry['hits']}/{entry['total']}")
    on.set_yticks(range(len(shown)), labels)
    _rows(on, len(shown))
    left_out = len(order) - len(shown)
    return Picture(
        name,
        title,
        "At the balanced thresholds that ship, weakest first; lines are 95 % intervals."
        + (f" The other {left_out} are in the table." if left_out else ""),
        drawing,
    )


def _routing(found: Assessment) -> Picture:
    drawing = canvas.figure(canvas.WIDTH, 2.2)
    on = canvas.axes(drawing, x="texts answered by the fast branch")
    groups = found.summary["tables"]["class"]
    names = [str(label) for label in LABELS if str(label) in groups]
    for row, name in enumerate(names):
        _interval(on, row, groups[name]["fast"], COLOURS[name])
    on.set_yticks(range(len(names)), names)
    _rows(on, len(names))
    return Picture(
        "answered_fast",
        "Routing by class",
        "Whose riskiest window the fast branch answered, without a second thought of the deep one.",
        drawing,
    )


def _interval(on: Any, row: float, rate: Any, colour: str, *, filled: bool = True) -> None:
    entry = rate if isinstance(rate, Mapping) else rate.to_dict()
    on.plot((entry["low"], entry["high"]), (row, row), color=colour, linewidth=1.4)
    on.plot(entry["rate"], row, "o", markersize=5, color=colour,
            markerfacecolor=colour if filled else canvas.PAPER)  # fmt: skip


def _beside(on: Any, rate: Rate, row: float, words: str) -> None:
    """Write words on the side of an interval that has room for them."""
    right = rate.high < 0.6
    place, align = (rate.high + 0.02, "left") if right else (rate.low - 0.02, "right")
    canvas.write(on, place, row, words, MUTED, ha=align, fontsize=8)


def _rows(on: Any, count: int) -> None:
    on.set_ylim(count - 0.5, -0.5)
    on.set_xlim(-0.02, 1.02)
    on.grid(visible=False, axis="y")
    on.grid(axis="x", color=canvas.GRID, linewidth=0.6)
    on.spines["left"].set_visible(False)
    on.tick_params(axis="y", colors=INK)
    canvas.percent_axis(on.xaxis)
