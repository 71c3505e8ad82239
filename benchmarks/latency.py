"""How long a check takes, against the bare engines of rivals, in one run on one thread.

Ours is the whole `Guard.check`: normaliser, detectors, tokenizer, network, policy. Theirs is the
network alone. `python -m benchmarks.latency [--rounds 60] [--warm] [--cache DIR]`
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from benchmarks import rivals
from benchmarks.texts import texts
from benchmarks.timing import Timing, interleaved, print_json, print_table
from tinyguardrail_sdk import Guard
from tinyguardrail_sdk.classifier import EmbeddedClassifier, _Opened, open_checkpoint
from tinyguardrail_sdk.labels import Route

LENGTHS = (16, 32, 64, 128, 256)
FAST_SHARE = 0.7
FAST, DEEP, CHECK = "fast", "deep", "as routed"
# name, numerator, denominator, target, whether the ratio should stay under it
GOALS = (
    ("fast / MiniLM", FAST, rivals.MINILM, 0.5, True),
    ("deep / MiniLM", DEEP, rivals.MINILM, 1.5, True),
    ("mix / MiniLM", "mix", rivals.MINILM, 0.8, True),
    ("xsmall / mix", rivals.XSMALL, "mix", 3.0, False),
    ("base / mix", rivals.BASE, "mix", 10.0, False),
)


class Forced(EmbeddedClassifier):
    """The shipped classifier with its router overruled."""

    def __init__(self, route: Route) -> None:
        super().__init__()
        # Opened apart, for classifiers of one checkpoint share what they open.
        extractor, engine = open_checkpoint(self.directory, self.manifest, self.threads)
        engine.run = partial(engine.run, force=route)  # type: ignore[method-assign]
        self._opened = _Opened(extractor, engine)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--texts", type=int, default=20, help="different texts a length")
    parser.add_argument("--warm", action="store_true", help="time the second of two calls in a row")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "rivals")
    arguments = parser.parse_args()
    guards = {
        FAST: Guard(classifier=Forced(Route.FAST)),
        DEEP: Guard(classifier=Forced(Route.DEEP)),
        CHECK: Guard(),
    }
    names = (rivals.MINILM, rivals.XSMALL, rivals.BASE)
    sessions = {name: rivals.session(name, arguments.cache) for name in names}
    times: dict[int, dict[str, Timing]] = {}
    for tokens in LENGTHS:
        contestants: dict[str, Sequence[Callable[[], object]]] = {
            name: [rivals.call(name, rival, tokens)] for name, rival in sessions.items()
        }
        for name, guard in guards.items():
            contestants[name] = [partial(guard.check, t) for t in texts(tokens, arguments.texts)]
        times[tokens] = interleaved(contestants, arguments.rounds, warm=arguments.warm)
    report(times, arguments.rounds, warm=arguments.warm)


def report(times: dict[int, dict[str, Timing]], rounds: int, *, warm: bool) -> None:
    """Print medians, ratios against the goals, and the JSON line."""
    contestants = list(next(iter(times.values())))
    print(f"ms, median (p95), {rounds} rounds, {'warm' if warm else 'cold'} caches\n")
    print_table(
        ["tokens", *contestants],
        [
            [tokens, *(f"{row[c].median:.2f} ({row[c].p95:.2f})" for c in contestants)]
            for tokens, row in times.items()
        ],
    )
    ratios = {tokens: _ratios(row) for tokens, row in times.items()}
    print(f"\nratios of medians; mix = {FAST_SHARE:.0%} fast, {1 - FAST_SHARE:.0%} deep\n")
    header = [f"{name} ({'<=' if under else '>='} {goal})" for name, _, _, goal, under in GOALS]
    print_table(["tokens", *header], [[t, *row.values()] for t, row in ratios.items()])
    medians = {t: {c: round(row[c].median, 3) for c in contestants} for t, row in times.items()}
    rounded = {t: {k: round(v, 3) for k, v in row.items()} for t, row in ratios.items()}
    results = {"rounds": rounds, "warm": warm, "median_ms": medians, "ratios": rounded}
    print_json("latency", results)


def _ratios(row: dict[str, Timing]) -> dict[str, float]:
    medians = {name: timing.median for name, timing in row.items()}
    medians["mix"] = FAST_SHARE * medians[FAST] + (1 - FAST_SHARE) * medians[DEEP]
    return {name: medians[above] / medians[below] for name, above, below, _, _ in GOALS}


if __name__ == "__main__":
    main()
