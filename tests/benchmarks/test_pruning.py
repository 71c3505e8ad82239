"""Texts counted as right: by their riskiest window, in either branch."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.pruning import right
from tinyguardrail_sdk.training.scores import WindowScores

pytestmark = pytest.mark.train


def test_the_riskiest_window_speaks_for_its_text() -> None:
    benign, injection, jailbreak = np.eye(4)[:3] * 9
    scores = WindowScores(
        fast=np.array([benign, injection, benign]),
        deep=np.array([benign, jailbreak, injection]),
        route=np.zeros(3),
        text=np.array([0, 0, 1]),
        labels=np.array([1, 0]),
        sources=np.zeros(2, np.int64),
    )
    assert right(scores, "fast") == 2  # an attack in the second window, and a harmless text
    assert right(scores, "deep") == 0
