from __future__ import annotations

import math

import numpy as np
import pytest

from tinyguardrail_sdk.training import metrics, roc


def test_wilson_interval_of_known_cases() -> None:
    half = metrics.rate(50, 100)
    assert (half.low, half.high) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    none = metrics.rate(0, 20)
    assert none.low == 0.0
    assert none.high == pytest.approx(0.1611, abs=1e-4)
    assert math.isnan(metrics.rate(0, 0).value)
    assert metrics.rate(0, 0).to_dict()["rate"] is None


def test_classification_counts_only_classes_that_occur() -> None:
    report = metrics.classification(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]))
    assert report["accuracy"] == 0.75
    assert report["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert report["confusion"][1] == [1, 1, 0, 0]
    assert report["per_class"]["jailbreak"]["support"] == 0


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.1, 0.5, 0.99])
def test_a_threshold_never_flags_more_than_asked(rate: float) -> None:
    risk = np.random.default_rng(0).random(1000).round(2)  # with ties
    threshold = metrics.threshold_at(risk, rate)
    assert np.mean(risk >= threshold) <= rate
    lower = risk[risk < threshold].max()
    assert np.mean(risk >= lower) > rate


def test_thresholds_at_the_ends() -> None:
    assert metrics.threshold_at(np.array([]), 0.1) == 0.0
    assert metrics.threshold_at(np.array([0.2, 0.3]), 1.0) == 0.0


def test_detection_and_auroc_need_both_kinds() -> None:
    attack = np.array([False, False, True, True])
    risk = np.array([0.1, 0.6, 0.5, 0.9])
    assert metrics.detection_at(attack, risk, 0.0) == 0.5
    assert metrics.detection_at(attack, risk, 0.5) == 1.0
    assert roc.auroc(attack, risk) == 0.75
    assert roc.auroc(np.ones(4, bool), risk) is None
    assert metrics.detection_at(np.zeros(4, bool), risk, 0.1) is None


def test_auroc_counts_ties_half() -> None:
    attack = np.array([False, False, True, True])
    assert roc.auroc(attack, np.array([0.1, 0.4, 0.4, 0.9])) == pytest.approx(0.875)
    assert roc.auroc(attack, np.zeros(4)) == 0.5


def test_calibration_error() -> None:
    sure = np.tile([[0.85, 0.05, 0.05, 0.05]], (100, 1))
    labels = np.zeros(100, int)
    labels[:15] = 1
    assert metrics.calibration_error(sure, labels) == pytest.approx(0.0, abs=1e-9)
    labels[:35] = 1
    assert metrics.calibration_error(sure, labels) == pytest.approx(0.2, abs=1e-9)


def test_the_interval_of_an_area_covers_it() -> None:
    rng, truth, inside = np.random.default_rng(0), 0.76025, 0  # of normal scores one apart
    attack = np.arange(90) < 35
    for _ in range(400):
        area = roc.auroc(attack, rng.normal(size=90) + attack)
        assert area is not None
        low, high = roc.auroc_interval(area, 35, 55)
        assert low < area < high
        inside += low <= truth <= high
    assert 0.92 <= inside / 400 <= 0.98


def test_the_interval_of_an_area_at_the_ends() -> None:
    low, high = roc.auroc_interval(1.0, 20, 20)
    assert high == 1.0
    assert 0.85 < low < 0.95
    assert roc.auroc_interval(0.0, 20, 20) == pytest.approx([0.0, 1 - low])
    assert roc.auroc_interval(1.0, 200, 200)[0] > low


def test_f1_of_known_cases() -> None:
    assert metrics.f1(8, 2, 2) == 0.8
    assert metrics.f1(0, 3, 0) == 0.0
    assert metrics.f1(0, 0, 5) is None
