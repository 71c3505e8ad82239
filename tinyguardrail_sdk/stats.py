"""Counts of what a guard did, cheap enough to be always on."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tinyguardrail_sdk.forking import renew_after_fork
from tinyguardrail_sdk.frozen import FrozenDict
from tinyguardrail_sdk.labels import Action, Label, Route, Source
from tinyguardrail_sdk.record import CheckRecord

# Upper bounds of the histogram in milliseconds; one more bucket has no bound.
BOUNDS_MS = (1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 10_000.0)

Key = tuple[Source, Label, Action, Route]


@dataclass(frozen=True, slots=True)
class Stats:
    """What a guard did in this process so far; a copy that does not change.

    A finished check counts once: in `judged`, in `failed` or in `allowed_by_rule`.

    Attributes:
        judged: Checks that the network answered, by source, label, action and route.
        failed: Checks that could not be completed, by source, whether they raised or `on_error` or
            `on_too_long` decided.
        allowed_by_rule: Texts allowed unread, by name of the rule.
        would_block: Texts that shadow mode let pass, by source; they are also in one of the above.
        latency_counts: Checks by time, one for each of `BOUNDS_MS` and one above them.
        latency_sum_ms: Time of all checks together in milliseconds.
    """

    judged: Mapping[Key, int]
    failed: Mapping[Source, int]
    allowed_by_rule: Mapping[str, int]
    would_block: Mapping[Source, int]
    latency_counts: tuple[int, ...]
    latency_sum_ms: float

    @property
    def checks(self) -> int:
        """Finished checks of every kind."""
        return sum(self.latency_counts)

    def count(
        self,
        *,
        source: Source | str | None = None,
        label: Label | str | None = None,
        action: Action | str | None = None,
        route: Route | str | None = None,
    ) -> int:
        """Add up the judged checks that have all the given properties."""
        wanted = (source, label, action, route)
        return sum(
            count
            for key, count in self.judged.items()
            if all(want is None or want == have for want, have in zip(wanted, key, strict=True))
        )

    def to_prometheus(self) -> str:
        """Return the counts in the Prometheus text format; serve it from your own endpoint."""
        lines: list[str] = []
        for name, about, rows in (
            ("checks", "Checks that the network answered.", self._judged_rows()),
            ("failed", "Checks that could not be completed.", _rows("source", self.failed)),
            ("allowed_by_rule", "Texts allowed unread.", _rows("rule", self.allowed_by_rule)),
            ("would_block", "Texts let pass by shadow mode.", _rows("source", self.would_block)),
        ):
            lines += _headed(f"tinyguardrail_{name}_total", "counter", about)
            lines += [f"tinyguardrail_{name}_total{{{row}}} {count}" for row, count in rows]
        lines += self._histogram_lines()
        return "\n".join(lines) + "\n"

    def _judged_rows(self) -> list[tuple[str, int]]:
        names = ("source", "label", "action", "route")
        return [
            (",".join(f'{name}="{value}"' for name, value in zip(names, key, strict=True)), count)
            for key, count in sorted(self.judged.items())
        ]

    def _histogram_lines(self) -> list[str]:
        name, so_far = "tinyguardrail_check_seconds", 0
        lines = _headed(name, "histogram", "Time of a check.")
        bounds = [*(f"{bound / 1000.0:g}" for bound in BOUNDS_MS), "+Inf"]
        for bound, count in zip(bounds, self.latency_counts, strict=True):
            so_far += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {so_far}')
        lines.append(f"{name}_sum {self.latency_sum_ms / 1000.0:.9g}")
        return [*lines, f"{name}_count {so_far}"]


class Counters:
    """Adds up records; safe between threads, and empty in a forked child and a copy by pickle."""

    def __init__(self) -> None:
        self.renew()
        renew_after_fork(self)

    def __reduce__(self) -> tuple[type[Counters], tuple[()]]:
        return type(self), ()

    def add(self, record: CheckRecord) -> None:
        """Count one finished check."""
        verdict, source = record.verdict, record.source
        bucket = bisect_left(BOUNDS_MS, record.latency_ms)
        with self._lock:
            self._latency[bucket] += 1
            self._latency_sum += record.latency_ms
            if verdict is not None and verdict.would_block:
                self._would_block[source] += 1
            if verdict is None or verdict.error is not None:
                self._failed[source] += 1
            elif verdict.rule is not None:
                self._rules[verdict.rule] += 1
            else:
                self._judged[source, verdict.label, verdict.action, verdict.route] += 1

    def snapshot(self) -> Stats:
        """Return the counts so far."""
        with self._lock:
            return Stats(
                FrozenDict(self._judged),
                FrozenDict(self._failed),
                FrozenDict(self._rules),
                FrozenDict(self._would_block),
                tuple(self._latency),
                self._latency_sum,
            )

    def renew(self) -> None:
        """Begin at 0: the checks of a parent process are the parent's to report."""
        self._lock = threading.Lock()
        self._judged: Counter[Key] = Counter()
        self._failed: Counter[Source] = Counter()
        self._rules: Counter[str] = Counter()
        self._would_block: Counter[Source] = Counter()
        self._latency = [0] * (len(BOUNDS_MS) + 1)
        self._latency_sum = 0.0


def _headed(name: str, kind: str, about: str) -> list[str]:
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]


def _rows(label: str, counts: Mapping[Source, int] | Mapping[str, int]) -> list[tuple[str, int]]:
    return [(f'{label}="{_escaped(name)}"', count) for name, count in sorted(counts.items())]


def _escaped(value: str) -> str:
    return str(value).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
