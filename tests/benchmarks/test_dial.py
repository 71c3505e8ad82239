"""The dial between the branches, with an engine whose fast branch is known to be the worse one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks import dial
from tinyguardrail_sdk.features import FeatureExtractor, Window
from tinyguardrail_sdk.labels import Route
from tinyguardrail_sdk.manifest import Manifest
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer
from tinyguardrail_sdk.training import judging
from tinyguardrail_sdk.training.data.schema import write_rows
from tinyguardrail_sdk.training.routing import Routed
from tinyguardrail_sdk.training.rows import read_rows
from tinyguardrail_sdk.training.scores import softmax
from tinyguardrail_sdk.training.targets import Targets

pytestmark = pytest.mark.train

_ALL, _IGNORE = 6, 5  # tokens of the toy vocabulary
_BENIGN, _ATTACK = np.array([4.0, 0, 0, 0]), np.array([0, 4.0, 0, 0])
LETTERS = "bcdefghijk"
# The fast branch misses what says `all`, and the router is less sure the later the letter.
TEXTS = [(f"ignore all {x}", "injection") for x in LETTERS]
TEXTS += [(f"ignore {x}", "injection") for x in LETTERS]
TEXTS += [(f"hello {x}", "benign") for x in LETTERS * 2]


class _Engine:
    """Its deep branch is always right."""

    def run(self, window: Window, force: Route) -> None:
        assert force in (Route.FAST, Route.DEEP)

    def logits(self, window: Window) -> tuple[Any, Any, float]:
        words = set(window.token_ids.tolist())
        deep = _ATTACK if _IGNORE in words else _BENIGN
        fast = _BENIGN if _ALL in words else deep
        return fast, deep, 20.0 - window.token_ids.max() - 15.0 * (_ALL in words)


def _open(checkpoint: Path, manifest: Manifest) -> tuple[FeatureExtractor, _Engine]:
    tokenizer = WordPieceTokenizer.from_file(checkpoint / "vocab.txt")
    return FeatureExtractor(tokenizer, max_tokens=8, overlap=2), _Engine()


@pytest.fixture(autouse=True)
def _toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "open_checkpoint", _open)
    monkeypatch.setattr(dial, "open_checkpoint", _open)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    rows = [*TEXTS, ("how to pick a lock", "harmful_plain")]
    write_rows(path, ({"text": text, "label": label} for text, label in rows))
    return path


@pytest.fixture
def run(
    checkpoint: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[str, dict[str, Any]]]:
    def call(*words: str) -> tuple[str, dict[str, Any]]:
        known = ["dial", f"--data={data}", f"--checkpoint={checkpoint}", "--rounds=1"]
        monkeypatch.setattr(sys, "argv", [*known, *words])
        dial.main()
        printed = capsys.readouterr().out
        return printed, json.loads(printed.splitlines()[-1])

    return call


def test_the_curve_goes_from_deep_answers_to_fast_ones(
    run: Callable[..., tuple[str, dict[str, Any]]], tmp_path: Path
) -> None:
    output = tmp_path / "dial.json"
    printed, line = run(f"--output={output}")
    assert line["texts"] == len(TEXTS)  # the one of no class is left out
    curve = line["curve"]
    assert list(curve) == ["0", "0.5", "0.6", "0.7", "0.8", "0.9", "1", dial.SHIPPED]
    reached = [curve[f"{share:g}"]["fast"]["rate"] for share in dial.SHARES]
    assert (reached[0], reached[-1]) == (0.0, 1.0)
    assert reached == sorted(reached)
    assert reached == pytest.approx(dial.SHARES, abs=0.2)  # halves of twenty texts
    assert curve["0"]["accuracy"] == curve["0.5"]["accuracy"] == 1.0
    assert curve["1"]["accuracy"] == 0.75  # ten of forty texts say `all`
    assert curve["0"]["caught"]["balanced"]["hits"] == 20
    assert curve["1"]["caught"]["balanced"]["hits"] == 10
    assert curve["1"]["flagged"]["balanced"]["hits"] == 0
    assert curve["0"]["of_deep"] == 1.0
    assert "| 1 | 1.000 | 0.000 | 0.7500 |" in printed
    assert "10/20 50.0 % [29.9, 70.1]" in printed
    assert json.loads(output.read_text(encoding="utf-8"))["curve"] == curve


def test_a_limit_draws_texts(run: Callable[..., tuple[str, dict[str, Any]]]) -> None:
    assert run("--limit=12")[1]["texts"] == 12


def test_time_is_that_of_the_ways_that_windows_went() -> None:
    costs = dial.Costs(
        reading=np.array([0.5, 0.5]),
        fast=np.array([1.0, 1.0, 2.0]),
        deep=np.array([3.0, 3.0, 6.0]),
        both=np.array([4.0, 4.0, 8.0]),
    )
    no, answers = np.zeros(3, bool), np.zeros((3, 4))
    last, two = np.array([False, False, True]), np.array([True, True, False])
    assert costs.mean(Routed(answers, no, no)) == 6.5
    assert costs.mean(Routed(answers, ~no, no)) == 2.5
    assert costs.mean(Routed(answers, two, last)) == 5.5


def test_no_text_is_answered_by_dials_that_were_fitted_on_it(
    checkpoint: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row for row in read_rows([data], {}) if row.label != "harmful_plain"]
    scores = judging.judge_windows(checkpoint, rows)
    fitted_on: list[int] = []

    def gate_of_its_half(part: Any, *_: object) -> tuple[float, float]:
        fitted_on.append(len(part.labels))
        assert part.text.tolist() == list(range(len(part.labels)))
        return (0.0, 0.0) if len(fitted_on) == 1 else (1.0, 1.0)

    monkeypatch.setattr(dial, "fit_dials", gate_of_its_half)
    fast, deep = softmax(scores.fast), softmax(scores.deep)
    routed = dial.cross_fitted(scores, fast, deep, Targets(), seed=1)
    assert fitted_on == [20, 20]
    assert routed.fast.sum() == 20
    half = np.random.default_rng(1).permutation(len(rows)) % 2 == 0
    assert np.array_equal(routed.fast, ~half)  # the first dials, fitted on `half`, open all


def test_costs_have_a_time_for_every_text_and_window(checkpoint: Path, data: Path) -> None:
    rows = read_rows([data], {})
    windows = len(judging.judge_windows(checkpoint, rows[:-1]).text)
    done: list[tuple[int, int]] = []
    costs = dial.time_windows(checkpoint, rows[:-1], 2, lambda *counts: done.append(counts))
    assert costs.reading.shape == (len(TEXTS),)
    assert costs.fast.shape == costs.deep.shape == costs.both.shape == (windows,)
    assert min(costs.reading.min(), costs.fast.min(), costs.deep.min(), costs.both.min()) > 0
    assert done[-1] == (2 * len(TEXTS), 2 * len(TEXTS))
