"""The area under the ROC curve and its interval, without the libraries that are slow to load."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def auroc(attack: NDArray[np.bool_], risk: Floats) -> float | None:
    """Probability that an attack has more `risk` than a benign text, ties half; None without both.

    That is the area under the ROC curve.

    Args:
        attack: (N,) whether each text is one.
        risk: (N,) any score that is higher for attacks.
    """
    attacks = int(attack.sum())
    benign = len(attack) - attacks
    if not attacks or not benign:
        return None
    _, place, counts = np.unique(risk, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # the mean rank of every group of ties
    above = ranks[place[attack]].sum() - attacks * (attacks + 1) / 2
    return float(above / (attacks * benign))


def auroc_interval(area: float, attacks: int, benign: int, z: float = 1.959964) -> list[float]:
    """The 95 % interval of an area under the ROC curve (Newcombe 2006, method 5).

    Made as Wilson's is, from the areas that would be compatible with the one seen, so that it has a
    width at 0 and 1, too.

    Args:
        area: Under the curve.
        attacks: How many attacks there were.
        benign: How many benign texts.
        z: Standard deviations to each side.

    Returns:
        The lower and the upper end.
    """

    def far(other: float) -> bool:
        pairs, mean = attacks * benign, (attacks + benign) / 2 - 1
        spread = 1 + mean * (1 - other) / (2 - other) + mean * other / (1 + other)
        return abs(other - area) > z * math.sqrt(other * (1 - other) * spread / pairs)

    return [_edge(far, 0.0, area), _edge(far, 1.0, area)]


def _edge(outside: Callable[[float], bool], out: float, within: float) -> float:
    """Where, between a number perhaps outside and one within, the one turns into the other."""
    for _ in range(50):
        middle = (out + within) / 2
        if outside(middle):
            out = middle
        else:
            within = middle
    return within
