"""Stretches of a sequence whose members speak together for something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def runs(weights: Iterable[float], enough: float, drop: float) -> Iterator[tuple[int, int, float]]:
    """Stretches of the greatest weight: first and last place, and what the stretch weighs.

    Args:
        weights: What each place says: above zero for, below zero against.
        enough: What a stretch must weigh.
        drop: A fall of more than this behind its peak ends a stretch.
    """
    score = best = 0.0
    start = peak = 0
    for place, weight in enumerate((*weights, -drop - 1)):
        score += weight
        if score > best:
            best, peak = score, place
        if score <= 0 or best - score > drop:
            if best >= enough:
                yield start, peak, best
            score = best = 0.0
            start = place + 1
