from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import SOURCES, Mode, Source
from tinyguardrail_sdk.manifest import load_manifest
from tinyguardrail_sdk.training.calibrate import calibrate, fit_temperature, write_calibration
from tinyguardrail_sdk.training.metrics import calibration_error
from tinyguardrail_sdk.training.routing import route
from tinyguardrail_sdk.training.scores import WindowScores, sigmoid, softmax
from tinyguardrail_sdk.training.targets import Targets
from tinyguardrail_sdk.training.thresholds import (
    fit_thresholds,
    refit_thresholds,
    why_kept,
    write_thresholds,
)

NO_FLOORS = dict.fromkeys(Mode, 0.0)


def _scores(texts: int = 4000, *, sharpness: float = 4.0, seed: int = 0) -> WindowScores:
    """Texts of one or two windows; labels are drawn from the deep branch's own probabilities."""
    rng = np.random.default_rng(seed)
    text = np.sort(np.concatenate([np.arange(texts), rng.choice(texts, texts // 4, False)]))
    windows = len(text)
    true_logits = rng.normal(0, 2, (texts, 4)) + [3, 0, 0, 0]
    odds = softmax(true_logits)
    labels = (odds.cumsum(1) > rng.random((texts, 1))).argmax(1)
    deep = true_logits[text]
    deep[np.flatnonzero(np.diff(text, prepend=-1) == 0)] = [9, 0, 0, 0]  # second windows: harmless
    fast = sharpness * (deep + rng.normal(0, 1, deep.shape))
    agree = (fast.argmax(1) == deep.argmax(1)) * 2.0 - 1.0
    return WindowScores(
        fast=fast,
        deep=deep,
        route=agree + rng.normal(0, 1, windows),
        text=text,
        labels=labels,
        sources=rng.choice(len(SOURCES), texts, p=[0.9, 0.08, 0.01, 0.01]),
    )


def test_the_riskiest_window_speaks_for_its_text() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.6, 0.4], [0.6, 0.4]])
    scores = _scores(3)
    scores = WindowScores(
        scores.fast, scores.deep, scores.route, np.array([0, 0, 1, 2, 2]),
        scores.labels, scores.sources,
    )  # fmt: skip
    worst = scores.worst(probabilities)
    assert worst[:2].tolist() == [1, 2]
    assert worst[2] in {3, 4}


def test_temperature_undoes_overconfidence() -> None:
    scores = _scores(sharpness=4.0)
    assert fit_temperature(scores, scores.deep) == pytest.approx(1.0, abs=0.1)
    fitted = fit_temperature(scores, 3.0 * scores.deep)
    assert fitted == pytest.approx(3.0, abs=0.3)
    worst = scores.worst(softmax(scores.deep))
    sharp = softmax(3.0 * scores.deep[worst])
    mild = softmax(3.0 * scores.deep[worst], fitted)
    assert calibration_error(mild, scores.labels) < 0.3 * calibration_error(sharp, scores.labels)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.7, 0.9])
def test_the_dials_reach_the_fast_share(share: float) -> None:
    scores = _scores()
    found = calibrate(scores, Targets(fast_share=share))
    assert found.report["fast_share"] == pytest.approx(share, abs=0.05)
    assert found.report["escalated_share"] <= Targets().most_escalated + 0.05
    answers = route(
        scores,
        softmax(scores.fast, found.temperature.fast),
        softmax(scores.deep, found.temperature.deep),
        found.route_threshold,
        found.escalate_below,
    )
    tried = sigmoid(scores.route) >= found.route_threshold
    assert np.array_equal(answers.fast | answers.escalated, tried)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_none_or_all_leaves_nothing_to_the_router(share: float) -> None:
    found = calibrate(_scores(), Targets(fast_share=share))
    assert found.report["fast_share"] == share
    assert (found.route_threshold, found.escalate_below) == (1.0 - share, 1.0 - share)


def test_thresholds_hold_the_rate_and_fall_back_where_benign_texts_are_few() -> None:
    rng = np.random.default_rng(1)
    sources = np.repeat([0, 1, 2, 3], [5000, 300, 5, 0])
    risk = rng.beta(1, 20, len(sources)) + 0.2 * (sources == 1)
    labels = np.zeros(len(sources), np.int64)
    targets = Targets(floors=NO_FLOORS)
    found, pooled = fit_thresholds(risk, labels, sources, targets)
    for mode in Mode:
        rate = targets.false_alarms[mode]
        assert np.mean(risk[sources == 0] >= found[Source.USER][mode]) <= rate
        assert found[Source.DOCUMENT][mode] == found[Source.OUTPUT][mode]
        ordered = list(found[Source.TOOL].values())
        assert ordered == sorted(ordered)
    assert found[Source.TOOL][Mode.STRICT] > found[Source.USER][Mode.STRICT]
    assert "tool/strict" not in pooled
    assert {"tool/permissive", "document/strict", "output/balanced"} <= set(pooled)


def test_floors_hold_where_validation_is_too_easy() -> None:
    risk, labels = np.full(2000, 1e-4), np.zeros(2000, np.int64)
    found, _ = fit_thresholds(risk, labels, np.zeros(2000, np.int64), Targets())
    assert found[Source.USER] == Targets().floors


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="fast_share"):
        Targets(fast_share=2)
    with pytest.raises(ValueError, match="false_alarms"):
        Targets(false_alarms={Mode.STRICT: 0.1})
    scores = _scores(100)
    scores.labels[:] = 1
    with pytest.raises(ValueError, match="benign"):
        calibrate(scores, Targets())


def test_the_manifest_takes_what_was_fitted(make_checkpoint: Callable[..., Path]) -> None:
    directory = make_checkpoint()
    found = calibrate(_scores(), Targets())
    write_calibration(directory, found, Targets())
    manifest = load_manifest(directory)
    assert manifest.thresholds == found.thresholds
    assert manifest.temperature == found.temperature
    assert manifest.route_threshold == found.route_threshold
    assert manifest.escalate_below == found.escalate_below
    assert manifest.metrics["calibration"]["targets"]["fast_share"] == 0.7


def test_targets_name_every_mode() -> None:
    targets: Any = Targets()
    assert set(targets.false_alarms) == set(targets.floors) == set(Mode)


def _traffic(texts: int) -> WindowScores:
    """A user's own benign texts, all but a few of one source."""
    scores = _scores(texts)
    sources = np.zeros(texts, np.int64)
    sources[:3] = SOURCES.index(Source.TOOL)
    return WindowScores(
        scores.fast, scores.deep, scores.route, scores.text, np.zeros(texts, np.int64), sources
    )


def test_thresholds_follow_a_users_own_traffic_and_the_rest_stays(checkpoint: Path) -> None:
    manifest = load_manifest(checkpoint)
    rates = {Mode.STRICT: 0.05, Mode.BALANCED: 0.02, Mode.PERMISSIVE: 0.005}
    targets = Targets(false_alarms=rates, floors=NO_FLOORS)
    thresholds, report = refit_thresholds(manifest, _traffic(2000), targets)
    for mode, rate in rates.items():
        after = report["flagged_after"][mode]
        assert after["hits"] <= rate * after["total"] + 3  # the three tool texts
        assert after["hits"] >= 0.8 * rate * after["total"]
        assert thresholds[Source.TOOL][mode] == manifest.thresholds[Source.TOOL][mode]
    assert "tool/balanced" in report["kept"]
    assert "user/balanced" not in report["kept"]


def test_writing_thresholds_changes_nothing_else(checkpoint: Path) -> None:
    before = load_manifest(checkpoint)
    raised = {source: dict.fromkeys(Mode, 0.9) for source in Source}
    write_thresholds(checkpoint, raised, {"texts": 5})
    after = load_manifest(checkpoint)
    assert after.thresholds == raised
    assert after.metrics["own_traffic"] == {"texts": 5}
    assert after.temperature == before.temperature
    assert after.files == before.files


def test_too_little_traffic_says_how_much_is_needed(checkpoint: Path) -> None:
    wanted = "balanced at a rate of 0.008 needs 250 benign texts of the source, and .* are 147"
    with pytest.raises(InputError, match=wanted):  # enough for strict, which would move alone
        refit_thresholds(load_manifest(checkpoint), _traffic(150), Targets())


def test_no_mode_of_a_source_moves_without_balanced(checkpoint: Path) -> None:
    manifest, targets = load_manifest(checkpoint), Targets()
    scores = _traffic(2000)
    scores.sources[:150] = SOURCES.index(Source.TOOL)  # strict needs 100, balanced 250
    thresholds, report = refit_thresholds(manifest, scores, targets)
    assert thresholds[Source.TOOL] == manifest.thresholds[Source.TOOL]
    assert {f"tool/{mode}" for mode in Mode} <= set(report["kept"])
    assert not any(pair.startswith("user/") for pair in report["kept"])
    (said,) = (line for line in why_kept(report["kept"], scores, targets) if "tool" in line)
    assert said == (
        "thresholds kept for tool (strict, balanced, permissive): balanced at a rate of 0.008 "
        "needs 250 benign texts of the source, and there are 150"
    )


def test_a_milder_mode_stays_by_itself(checkpoint: Path) -> None:
    scores = _traffic(600)
    _, report = refit_thresholds(load_manifest(checkpoint), scores, Targets())
    (said,) = (line for line in why_kept(report["kept"], scores, Targets()) if "user" in line)
    assert said.startswith("thresholds kept for user (permissive): permissive at a rate of 0.002")
