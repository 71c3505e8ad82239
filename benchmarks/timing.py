"""Interleaved timing, tables, and the closing JSON line that every benchmark prints."""

from __future__ import annotations

import json
import platform
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import numpy as np

WARM_UP = 3


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one contestant: median and 95th percentile."""

    median: float
    p95: float


def interleaved(
    contestants: Mapping[str, Sequence[Callable[[], object]]],
    rounds: int,
    *,
    warm: bool = False,
) -> dict[str, Timing]:
    """Time contestants in turn, round after round, so that noise of the machine hits all alike.

    Args:
        contestants: By name, calls that are rotated from round to round (other texts, say).
        rounds: Timed calls of each contestant.
        warm: Precede each timed call by an untimed one of the same contestant, so that it finds its
            code and weights in the processor's caches, as in a row of calls. Otherwise whoever
            follows a large model finds the caches empty, as after other work of the host.
    """
    calls = {name: list(islice(cycle(c), rounds)) for name, c in contestants.items()}
    for turns in calls.values():
        for call in turns[:WARM_UP]:
            call()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    order, rng = list(calls), random.Random(0)
    for turn in range(rounds):
        rng.shuffle(order)
        for name in order:
            if warm:
                calls[name][turn - 1]()  # another text: its words must not be fresh in memory
            began = time.perf_counter()
            calls[name][turn]()
            taken[name].append((time.perf_counter() - began) * 1e3)
    return {
        name: Timing(float(np.median(times)), float(np.quantile(times, 0.95)))
        for name, times in taken.items()
    }


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table; floats with three significant digits."""
    for cells in (header, ["---"] * len(header), *rows):
        print("| " + " | ".join(_cell(cell) for cell in cells) + " |")


def print_json(benchmark: str, results: Mapping[str, Any]) -> None:
    """Print the one line for programs."""
    machine = {"machine": platform.machine(), "python": platform.python_version()}
    print(json.dumps({"benchmark": benchmark, **machine, **results}))


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("|", "\\|")
