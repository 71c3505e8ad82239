"""The dial between the branches: what more fast answers cost in quality, and save in time.

`python -m benchmarks.dial --data FILE`. Every window is judged once by both branches; temperature
and thresholds are the manifest's. The dials of a share are fitted as `calibrate` fits them, on one
half of the texts, and measured on the other, and the other way round. Then every window is timed
through either branch and through both, in one process on one thread.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.sets import add_data, add_limit, limited, parsed
from benchmarks.timing import WARM_UP, print_json, print_table
from tinyguardrail_sdk.classifier import open_checkpoint
from tinyguardrail_sdk.features import Window
from tinyguardrail_sdk.labels import Route
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, Manifest, load_manifest
from tinyguardrail_sdk.training.counting import counting
from tinyguardrail_sdk.training.data.jsonl import write_json
from tinyguardrail_sdk.training.evaluate import Scored, measure
from tinyguardrail_sdk.training.judging import judge_windows
from tinyguardrail_sdk.training.options import (
    add_checkpoint,
    add_mode,
    add_result,
    add_seed,
    add_source_map,
    add_workers,
)
from tinyguardrail_sdk.training.progress import Progress
from tinyguardrail_sdk.training.routing import Routed, fit_dials, route
from tinyguardrail_sdk.training.rows import Row, judged_rows
from tinyguardrail_sdk.training.scores import Floats, WindowScores, softmax
from tinyguardrail_sdk.training.tables import shown_rate
from tinyguardrail_sdk.training.targets import Targets

SHARES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
SHIPPED = "as shipped"


@dataclass(frozen=True)
class Costs:
    """Milliseconds, each the median of the rounds.

    Attributes:
        reading: (texts,) normaliser, detectors and tokenizer.
        fast: (windows,) through the fast branch.
        deep: (windows,) through the deep one.
        both: (windows,) through both, as an escalated window goes.
    """

    reading: Floats
    fast: Floats
    deep: Floats
    both: Floats

    def mean(self, routed: Routed) -> float:
        """Of a text whose windows went these ways."""
        taken = np.where(routed.fast, self.fast, np.where(routed.escalated, self.both, self.deep))
        return float((self.reading.sum() + taken.sum()) / len(self.reading))


def main() -> None:
    """Judge, time and print."""
    arguments = _arguments()
    checkpoint = arguments.checkpoint or DEFAULT_CHECKPOINT
    manifest = load_manifest(checkpoint)
    rows = judged_rows(arguments.data, dict(arguments.source_map))
    known = [row for row in rows if row.has_class]
    chosen, _ = limited(known, arguments.limit, arguments.seed)
    with counting("score") as progress:
        scores = judge_windows(checkpoint, chosen, workers=arguments.workers, progress=progress)
    with counting("time") as progress:
        costs = time_windows(checkpoint, chosen, arguments.rounds, progress)
    curve = measure_curve(chosen, scores, manifest, costs, arguments.seed)
    report = {
        "model_version": manifest.model_version,
        "mode": str(arguments.mode),
        "texts": len(chosen),
        "windows": len(scores.text),
        "seed": arguments.seed,
        "curve": curve,
    }
    print_report(report)
    if arguments.output:
        write_json(arguments.output, report)
    print_json("dial", report)


def measure_curve(
    rows: Sequence[Row], scores: WindowScores, manifest: Manifest, costs: Costs, seed: int
) -> dict[str, dict[str, Any]]:
    """Quality and time by share of fast answers, and with the dials of the manifest.

    Returns:
        By share: what `evaluate.measure` gives, `escalated` (share of texts that ran both), `ms` a
        text, and `of_deep` (that time over the one of deep answers only).
    """
    fast = softmax(scores.fast, manifest.temperature.fast)
    deep = softmax(scores.deep, manifest.temperature.deep)
    gate, floor = manifest.route_threshold, manifest.escalate_below
    ways = {
        f"{share:g}": cross_fitted(scores, fast, deep, Targets(fast_share=share), seed)
        for share in SHARES
    } | {SHIPPED: route(scores, fast, deep, gate, floor)}
    slowest = costs.mean(ways["0"])
    curve = {}
    for name, routed in ways.items():
        worst = scores.worst(routed.probabilities)
        scored = Scored(rows, routed.probabilities[worst], routed.fast[worst])
        taken = costs.mean(routed)
        curve[name] = {
            **measure(scored, manifest),
            "escalated": float(routed.escalated[worst].mean()),
            "ms": taken,
            "of_deep": taken / slowest,
        }
    return curve


def cross_fitted(
    scores: WindowScores, fast: Floats, deep: Floats, targets: Targets, seed: int
) -> Routed:
    """Answers for every window, under dials fitted on the half of the texts that it is not in."""
    texts = len(scores.labels)
    half = np.random.default_rng(seed).permutation(texts) % 2 == 0
    parts = []
    for fitted_on in (half, ~half):
        seen = fitted_on[scores.text]
        dials = fit_dials(_only(scores, fitted_on), fast[seen], deep[seen], targets)
        parts.append(route(scores, fast, deep, *dials))
    first, second = parts
    seen = half[scores.text]
    return Routed(
        np.where(seen[:, None], second.probabilities, first.probabilities),
        np.where(seen, second.fast, first.fast),
        np.where(seen, second.escalated, first.escalated),
    )


def time_windows(checkpoint: Path, rows: Sequence[Row], rounds: int, progress: Progress) -> Costs:
    """Time all texts in each round, so that none finds itself in the caches.

    A window goes its three ways one after the other, in an order that is drawn, so that noise of
    the machine hits all alike.
    """
    extractor, engine = open_checkpoint(checkpoint, load_manifest(checkpoint))
    ways: list[Callable[[Window], object]] = [
        partial(engine.run, force=Route.FAST),
        partial(engine.run, force=Route.DEEP),
        engine.logits,
    ]
    for row in rows[:WARM_UP]:
        for window in extractor.extract(row.text, row.source).windows:
            for way in ways:
                way(window)
    rng = random.Random(0)
    reading, taken = [], []
    for turn in range(rounds):
        for place, row in enumerate(rows):
            began = time.perf_counter()
            windows = extractor.extract(row.text, row.source).windows
            reading.append(time.perf_counter() - began)
            taken += [_times(ways, window, rng) for window in windows]
            progress(turn * len(rows) + place + 1, rounds * len(rows))
    by_way = _medians(np.reshape(taken, (rounds, -1, len(ways))))
    return Costs(_medians(np.reshape(reading, (rounds, -1))), *by_way.T)


def print_report(report: Mapping[str, Any]) -> None:
    """The curve as a table."""
    mode = report["mode"]
    print(f"model {report['model_version']}, mode {mode}, {report['texts']} texts")
    print_table(
        ["fast share", "reached", "escalated", "accuracy", "macro F1", "attacks caught",
         "harmless flagged", "ms a text", "of deep"],
        [
            [
                *(name, f"{entry['fast']['rate']:.3f}", f"{entry['escalated']:.3f}"),
                *(f"{entry['accuracy']:.4f}", f"{entry['macro_f1']:.4f}"),
                *(shown_rate(entry[kind][mode]) for kind in ("caught", "flagged")),
                *(entry["ms"], f"{entry['of_deep']:.2f}"),
            ]
            for name, entry in report["curve"].items()
        ],
    )  # fmt: skip


def _times(
    ways: Sequence[Callable[[Window], object]], window: Window, rng: random.Random
) -> list[float]:
    taken = [0.0] * len(ways)
    for place in rng.sample(range(len(ways)), len(ways)):
        began = time.perf_counter()
        ways[place](window)
        taken[place] = time.perf_counter() - began
    return taken


def _medians(seconds: NDArray[np.float64]) -> Floats:
    """Milliseconds over the first axis, that of the rounds."""
    medians: Floats = 1e3 * np.median(seconds, axis=0)
    return medians


def _only(scores: WindowScores, texts: NDArray[np.bool_]) -> WindowScores:
    """The windows of some texts, which are numbered anew."""
    windows = texts[scores.text]
    return WindowScores(
        fast=scores.fast[windows],
        deep=scores.deep[windows],
        route=scores.route[windows],
        text=(np.cumsum(texts) - 1)[scores.text[windows]],
        labels=scores.labels[texts],
        sources=scores.sources[texts],
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data(parser)
    add_checkpoint(parser, "(default: built in)")
    add_source_map(parser)
    add_workers(parser)
    add_mode(parser)
    add_seed(parser)
    add_limit(parser)
    parser.add_argument("--rounds", type=int, default=3, help="timed runs of each text (3)")
    add_result(parser)
    arguments = parsed(parser)
    if arguments.rounds < 1:
        parser.error("--rounds: at least 1")
    return arguments


if __name__ == "__main__":
    main()
