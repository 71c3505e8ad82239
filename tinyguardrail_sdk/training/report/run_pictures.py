"""Pictures of a run: what it learned, on what schedule, and how its parts share the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from tinyguardrail_sdk.labels import LABELS
from tinyguardrail_sdk.training.report import canvas
from tinyguardrail_sdk.training.report.canvas import COLOURS, Picture
from tinyguardrail_sdk.training.report.history import BRANCHES, History, Record
from tinyguardrail_sdk.training.report.score_pictures import confusion

Points = Sequence[tuple[float, float]]

_ANSWERS = (*BRANCHES, "routed")
# Training lines are averaged to about so many points, that their course shows.
_SMOOTH_POINTS = 80


def run_pictures(history: History) -> Iterator[Picture]:
    """Every picture that the records of a run give."""
    makers: tuple[Callable[[History], Picture | None], ...] = (
        _loss, _gap, _quality, _f1, _class_f1, _detection, _objective, _rate, _routing,
        _load, _use,
    )  # fmt: skip
    for make in makers:
        if (picture := make(history)) is not None:
            yield picture
    if best := history.best:
        yield confusion(
            best["routed"]["confusion"],
            "validation_confusion",
            "Validation confusion",
            f"Routed answers to the validation texts at step {best['step']:,}, the best one.",
        )


def _loss(history: History) -> Picture | None:
    lines = {}
    for branch in BRANCHES:
        lines[f"{branch}, training"] = _smooth(_train(history, "branches", branch, "loss"))
        key = "window_loss"
        lines[f"{branch}, validation"] = _validated(history, branch, key)
    return _course(
        lines,
        Picture(
            "loss",
            "Loss",
            "Mean cross-entropy of a window, logarithmic. Thin: training, with dropout. Thick with "
            "dots: validation, without.",
            canvas.figure(),
        ),
        y="cross-entropy (nats)",
        log=True,
    )


def _gap(history: History) -> Picture | None:
    drawing = Picture(
        "overfitting_gap",
        "Overfitting gap",
        "Validation loss minus training loss of the same branch, a window. At 0 the branch does as "
        "well on texts it never saw; a line that climbs is learning by heart.",
        canvas.figure(),
    )
    gaps = {f"{branch}, validation": history.gaps(branch) for branch in BRANCHES}
    return _course(gaps, drawing, y="difference (nats)", zero=True, short=True)


def _quality(history: History) -> Picture | None:
    lines: dict[str, Points] = {
        f"{branch}, training": _smooth(_train(history, "branches", branch, "accuracy"))
        for branch in BRANCHES
    }
    lines |= {f"{name}, validation": _validated(history, name, "accuracy") for name in _ANSWERS}
    drawing = Picture(
        "accuracy",
        "Accuracy",
        "Share of the four classes named rightly. Thin: training windows. Thick: validation texts.",
        canvas.figure(),
    )
    return _course(lines, drawing, y="right answers", share=True)


def _f1(history: History) -> Picture | None:
    lines = {f"{name}, validation": _validated(history, name, "macro_f1") for name in _ANSWERS}
    drawing = Picture(
        "f1", "Macro F1", "Mean F1 of the four classes on validation texts.", canvas.figure()
    )
    return _course(lines, drawing, y="macro F1", short=True)


def _class_f1(history: History) -> Picture | None:
    lines = {
        f"{label}, validation": [
            (record["step"], record["routed"]["per_class"][str(label)]["f1"])
            for record in history.validations
            if record["routed"]["per_class"][str(label)]["support"]
        ]
        for label in LABELS
    }
    drawing = Picture(
        "class_f1", "F1 by class", "Routed answers to validation texts.", canvas.figure()
    )
    return _course(lines, drawing, y="F1", short=True)


def _detection(history: History) -> Picture | None:
    lines = {
        f"{name}, validation": [
            (record["step"], found)
            for record in history.validations
            if (found := record[name]["detection"].get("0.01")) is not None
        ]
        for name in _ANSWERS
    }
    drawing = Picture(
        "validation_detection",
        "Attacks caught at 1 % false alarms",
        "On validation texts; together with F1 this chooses the weights that are kept.",
        canvas.figure(),
    )
    return _course(lines, drawing, y="attacks caught", share=True, short=True)


def _objective(history: History) -> Picture | None:
    if not history.train:
        return None
    terms = sorted({name for record in history.train for name in record["losses"]})
    lines = {name: _smooth(_train(history, "losses", name)) for name in terms}
    colours = {"router": COLOURS["routed"], "balance": canvas.MUTED}
    drawing = Picture(
        "objective",
        "Terms of the objective",
        "What the optimiser lowers, weights included: focal loss of both branches, the router's "
        "loss and the load balance of the experts. Logarithmic.",
        canvas.figure(),
    )
    return _course(lines, drawing, y="weighted loss", log=True, colours=colours)


def _rate(history: History) -> Picture | None:
    factors = _train(history, "lr_factor")
    peaks = history.peaks or {"share of the peak": 1.0}
    lines = {name: [(step, factor * peak) for step, factor in factors]
             for name, peak in peaks.items()}  # fmt: skip
    colours = dict(zip(lines, (COLOURS["deep"], COLOURS["fast"]), strict=False))
    drawing = Picture(
        "learning_rate",
        "Learning rate",
        "AdamW's rate for each group of weights.",
        canvas.figure(),
    )
    return _course(lines, drawing, y="learning rate", colours=colours)


def _routing(history: History) -> Picture | None:
    lines = {
        "training": _smooth(_train(history, "fast_share")),
        "routed, validation": _validated(history, "fast_share"),
    }
    drawing = Picture(
        "routing",
        "Share sent to the fast branch",
        "By the router at 0.5, before calibration sets its threshold. The rest goes to the deep "
        "branch.",
        canvas.figure(),
    )
    colours = {"training": canvas.MUTED}
    return _course(lines, drawing, y="windows", share=True, colours=colours)


def _load(history: History) -> Picture | None:
    loads = [record["expert_load"] for record in history.train if "expert_load" in record]
    if not loads:
        return None
    recent = np.mean(loads[-max(1, len(loads) // 10) :], axis=0)
    drawing = canvas.figure(canvas.WIDTH, 0.9 + 0.34 * len(recent))
    _expert_map(canvas.axes(drawing, x="expert", y="deep layer"), recent)
    return Picture(
        "expert_load",
        "Load of the experts",
        "Share of the training windows that used each expert, over the last tenth of the run. "
        f"Evenly spread, each would have {100 * _even(recent):.0f} %.",
        drawing,
    )


def _use(history: History) -> Picture | None:
    best = history.best
    if best is None or "expert_use" not in best:
        return None
    use = {name: np.array(shares) for name, shares in best["expert_use"].items()}
    layers = len(next(iter(use.values())))
    drawing = canvas.figure(canvas.WIDTH, 0.8 + 0.42 * layers)
    for place, (name, shares) in enumerate(use.items()):
        made = canvas.axes(drawing, 2, (len(use) + 1) // 2, place + 1)
        made.set_title(name, color=COLOURS[name], fontsize=9, loc="left")
        _expert_map(made, shares, words=False)
    drawing.supxlabel("expert", color=canvas.MUTED, fontsize=9)
    drawing.supylabel("deep layer", color=canvas.MUTED, fontsize=9)
    even = _even(next(iter(use.values())))
    return Picture(
        "expert_use",
        "Expert use by class and layer",
        f"Share of the validation windows of each class that used an expert, at step "
        f"{best['step']:,}; the darker, the more. Evenly spread, each would have "
        f"{100 * even:.0f} %.",
        drawing,
    )


def _even(shares: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    return float(shares.sum(1).mean() / shares.shape[1])


def _expert_map(
    on: Axes, shares: np.ndarray[tuple[int, ...], np.dtype[np.float64]], *, words: bool = True
) -> None:
    layers, experts = shares.shape
    written = [[f"{100 * s:.0f} %" if words else "" for s in row] for row in shares]
    canvas.cells(on, shares, written)
    on.set_xticks(range(experts), [str(n + 1) for n in range(experts)])
    on.set_yticks(range(layers), [str(n + 1) for n in range(layers)])


def _course(
    lines: Mapping[str, Points],
    picture: Picture,
    *,
    y: str,
    log: bool = False,
    share: bool = False,
    zero: bool = False,
    short: bool = False,
    colours: Mapping[str, str] | None = None,
) -> Picture | None:
    """Draw lines over steps and name them at their ends; None where there is nothing to draw.

    A name "what, validation" makes a thick line with dots in the colour of `what`.
    """
    lines = {name: points for name, points in lines.items() if points}
    if not lines:
        return None
    on = canvas.step_axes(picture.figure, y)
    ends = {}
    for name, points in lines.items():
        what, _, kind = name.partition(", ")
        colour = {**COLOURS, **(colours or {})}.get(what, canvas.MUTED)
        steps, values = zip(*points, strict=True)
        dotted = kind == "validation" and len(points) <= 40
        width = 1.9 if kind != "training" else 0.9
        on.plot(steps, values, color=colour, linewidth=width, marker="o" if dotted else "",
                markersize=3.5, clip_on=False)  # fmt: skip
        ends[what if short else name] = (values[-1], colour)
    if log:
        canvas.log_axis(on)
    if share:
        canvas.percent_axis(on.yaxis)
        low, high = on.get_ylim()
        # At least ten points high, that a trifle does not look like a step; never beyond 100 %.
        on.set_ylim(max(-0.02, min(low, high - 0.1)), min(high, 1.02))
    if zero:
        on.axhline(0.0, color=canvas.MUTED, linewidth=0.8)
    on.set_xlim(0, max(points[-1][0] for points in lines.values()))
    canvas.name_ends(on, ends)
    return picture


def _smooth(points: Points) -> Points:
    width = max(1, len(points) // _SMOOTH_POINTS)
    groups = [points[i : i + width] for i in range(0, len(points), width)]
    return [(group[-1][0], float(np.mean([value for _, value in group]))) for group in groups]


def _train(history: History, *path: str) -> Points:
    return list(_series(history.train, path))


def _validated(history: History, *path: str) -> Points:
    return list(_series(history.validations, path))


def _series(records: Sequence[Record], path: Sequence[str]) -> Iterator[tuple[float, float]]:
    for record in records:
        value = record
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None  # type: ignore[assignment]
        if value is not None:
            yield record["step"], float(value)  # type: ignore[arg-type]
