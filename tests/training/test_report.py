from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from tinyguardrail_sdk.classifier import Classification
from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Label, Route, Source
from tinyguardrail_sdk.training import judging, train
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.report.canvas import THEME, spread
from tinyguardrail_sdk.training.report.curves import (
    ALL,
    operating_points,
    reliability,
    roc_curves,
)
from tinyguardrail_sdk.training.report.history import History, read_history

pytestmark = pytest.mark.train

_RUN_PICTURES = {
    "loss", "overfitting_gap", "accuracy", "f1", "class_f1", "validation_detection", "objective",
    "learning_rate", "routing", "expert_load", "expert_use", "validation_confusion",
}  # fmt: skip
_SCORE_PICTURES = {
    "confusion", "detection", "roc", "reliability", "techniques", "false_alarms", "answered_fast",
}  # fmt: skip


class _FirstWordClassifier:
    """Says what the first word of a text names."""

    def __init__(self, checkpoint: Path) -> None:
        pass

    def classify(self, text: str, source: Source) -> Classification:
        found = LABELS.index(Label(text.split()[0]))
        a, b, c, d = (0.97 if index == found else 0.01 for index in range(4))
        return Classification((a, b, c, d), Route.FAST, (), (0, len(text)), (len(text), len(text)))


@pytest.fixture
def run(
    make_config: Callable[..., TrainConfig],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A copy of one toy run: a test may change it."""
    kept = tmp_path_factory.getbasetemp() / "reported-run"
    if not kept.exists():
        train.main(make_config(output=str(kept)))
    shutil.copytree(kept, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Texts of which one injection in ten is missed and the other answers are right."""
    monkeypatch.setattr(judging, "EmbeddedClassifier", _FirstWordClassifier)
    rows = []
    for index in range(40):
        label = str(LABELS[index % 4])
        said = "benign" if index == 1 else label
        kind = f"<b>kind {index % 8}</b>"
        rows.append({"text": f"{said} secret words", "label": label, "technique": kind})
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _report(*words: object) -> int:
    return main(["report", *map(str, words)])


def _pictures(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.png")}


def _figures(folder: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads((folder / "final_metrics.json").read_text("utf-8"))
    return figures


def test_a_run_and_a_checkpoint_make_a_whole_report(
    run: Path, data: Path, checkpoint: Path, tmp_path: Path
) -> None:
    output = tmp_path / "report"
    words = ("--run", run, "--checkpoint", checkpoint, "--data", data, "--output", output)
    assert _report(*words) == 0
    assert _pictures(output) == _RUN_PICTURES | _SCORE_PICTURES
    for path in output.glob("*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")

    figures = _figures(output)
    assert figures["evaluation"]["accuracy"]["hits"] == 39
    whole = figures["evaluation"]["tables"]["all"]["all"]
    assert whole["caught"]["balanced"]["hits"] == 29
    assert [d["file"] for d in figures["evaluation"]["data"]] == ["texts.jsonl"]
    best = figures["run"]["best_validation"]
    assert set(best["expert_use"]) == set(map(str, LABELS))
    assert np.array(best["expert_use"]["benign"]).sum(1) == pytest.approx(2.0, abs=0.01)
    assert set(figures["run"]["overfitting_gap"]) == {"fast", "deep"}

    page = (output / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == len(_RUN_PICTURES | _SCORE_PICTURES)
    assert page.index("<h3>ROC") < page.index("How it learned") < page.index("<h3>Loss")
    # A line is cut by the rectangle of its axes: without its size nothing would be seen.
    clips = re.findall(r"<clipPath[^>]*>\s*<rect([^>]*)/>", page)
    assert clips
    assert all("width=" in clip and "height=" in clip for clip in clips)
    assert "29 of 30" in page
    assert whole["caught"]["balanced"]["low"] == pytest.approx(0.8333, abs=0.001)
    assert "95 %: 83.3–99.4" in page
    assert figures["evaluation"]["manifest_sha256"] in page
    assert "not exported from this run" in page
    assert not re.search(r"https?:|(src|href)=\"[^#]|<script", page)
    assert "<b>kind" not in page
    assert "secret words" not in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    # A colour that is no variable would not follow the theme.
    drawn = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert set(re.findall(r"#[0-9a-f]{6}\b", drawn)) == set()
    assert all(f"--{name}:" in page for name in THEME)


def test_a_part_that_is_missing_is_left_out_and_said(
    run: Path, data: Path, checkpoint: Path, tmp_path: Path
) -> None:
    assert _report("--run", run, "--output", tmp_path / "a") == 0
    assert _pictures(tmp_path / "a") == _RUN_PICTURES
    assert _figures(tmp_path / "a")["evaluation"] is None
    assert "No checkpoint was scored" in (tmp_path / "a" / "report.html").read_text("utf-8")

    assert _report("--checkpoint", checkpoint, "--data", data, "--output", tmp_path / "b") == 0
    assert _pictures(tmp_path / "b") == _SCORE_PICTURES
    assert "No run folder was given" in (tmp_path / "b" / "report.html").read_text("utf-8")


def test_records_of_an_older_run_still_make_a_report(run: Path, tmp_path: Path) -> None:
    path = run / "metrics.jsonl"
    kept = []
    for line in path.read_text("utf-8").splitlines():
        record = json.loads(line)
        for name in ("branches", "expert_load", "expert_use"):
            record.pop(name, None)
        for name in ("fast", "deep", "routed"):
            record.get(name, {}).pop("window_loss", None)
        kept.append(json.dumps(record) + "\n")
    path.write_text("".join(kept) + '{"kind": "tr', encoding="utf-8")
    assert _report("--run", run, "--output", tmp_path / "a") == 0
    missing = {"loss", "overfitting_gap", "expert_load", "expert_use"}
    assert _pictures(tmp_path / "a") == _RUN_PICTURES - missing
    assert "overfitting gap are left out" in _figures(tmp_path / "a")["notes"][1]


def test_figures_on_texts_of_the_run_are_marked(
    run: Path, toy: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_FirstWordClassifier, "classify", lambda *_: Classification(
        (0.7, 0.1, 0.1, 0.1), Route.DEEP, (), (0, 1), (1, 1)))  # fmt: skip
    monkeypatch.setattr(judging, "EmbeddedClassifier", _FirstWordClassifier)
    seen = ("--data", toy / "train.jsonl.gz", "--checkpoint", checkpoint)
    assert _report("--run", run, *seen, "--output", tmp_path / "a") == 0
    assert "train.jsonl.gz is a train file of this run" in str(_figures(tmp_path / "a")["notes"])


def test_what_cannot_be_reported_is_told_with_its_cure(
    run: Path, tmp_path: Path, checkpoint: Path, refused: Callable[..., str]
) -> None:
    output = ("--output", str(tmp_path / "a"))
    assert "give --run, --data or both" in refused("report", *output)
    assert "give --data too" in refused("report", "--checkpoint", str(checkpoint), *output)
    assert str(run) in refused("report", "--run", str(run / "best"), *output)
    assert "metrics.jsonl" in refused("report", "--run", str(tmp_path), *output)
    apart = tmp_path / "apart.jsonl"
    apart.write_text('{"text": "t", "label": "harmful_plain"}\n', encoding="utf-8")
    assert "benign" in refused("report", "--data", str(apart), *output)
    assert not (tmp_path / "a").exists()


def test_the_gap_holds_a_validation_against_the_training_before_it() -> None:
    def trained(step: int, loss: float) -> dict[str, Any]:
        return {"step": step, "branches": {"fast": {"loss": loss}}}

    def validated(step: int, loss: float) -> dict[str, Any]:
        return {"step": step, "fast": {"window_loss": loss}, "score": 0.5}

    history = History(
        "toy",
        [trained(2, 1.0), trained(4, 0.6), trained(6, 0.2)],
        [validated(4, 0.9), validated(8, 0.5)],
        {},
    )
    gaps = history.gaps("fast")
    assert [step for step, _ in gaps] == [4, 8]
    assert [gap for _, gap in gaps] == pytest.approx([0.1, 0.3])


def test_the_best_validation_is_the_one_that_was_kept() -> None:
    records = [{"step": step, "score": score} for step, score in ((1, 0.9), (2, 0.8), (3, 0.7))]
    # Quantised after step 1: the higher score before it is of another arithmetic.
    history = History("toy", [], records, {"position": {"best_step": 2}})
    assert history.best == records[1]
    assert History("toy", [], records, {}).best == records[0]


def test_a_run_without_a_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="no record yet"):
        read_history(tmp_path)


def test_operating_points_allow_their_share_and_no_more() -> None:
    benign = np.linspace(0.0, 0.5, 200)
    risk = np.concatenate([benign, [0.499, 0.6, 0.9, 0.4]])
    labels = np.array([0] * 200 + [1, 1, 2, 3])
    strict, usual = operating_points(risk, labels)
    assert (strict.flagged.hits, strict.resolved) == (0, False)
    assert (usual.flagged.hits, usual.resolved) == (2, True)
    assert (strict.caught[ALL].hits, usual.caught[ALL].hits) == (2, 3)
    assert usual.caught["injection"].total == 2
    assert operating_points(risk[:200], labels[:200]) == []


def test_curves_are_of_each_class_against_benign_texts() -> None:
    risk = np.array([0.1, 0.4, 0.9, 0.8, 0.2])
    curves = roc_curves(risk, np.array([0, 0, 1, 1, 3]))
    assert set(curves) == {ALL, "injection", "obfuscation"}
    assert curves["injection"].area == 1.0
    assert curves["obfuscation"].area == 0.5


def test_bins_hold_confidence_and_truth() -> None:
    scores = np.array([[0.95, 0.05, 0, 0], [0.93, 0.07, 0, 0], [0.45, 0.55, 0, 0]])
    low, high = reliability(scores, np.array([0, 1, 1]))
    assert (low.right.hits, low.right.total, low.confidence) == (1, 1, 0.55)
    assert (high.right.hits, high.right.total) == (1, 2)
    assert high.confidence == pytest.approx(0.94)


def test_labels_are_moved_apart_and_stay_inside() -> None:
    placed = spread([0.5, 0.5, 0.98, 0.99, 1.0], 0.1)
    assert min(np.diff(placed)) >= 0.1 - 1e-9
    assert 0.0 <= placed[0] <= 0.5
    assert placed[-1] <= 1.0
    assert spread([0.2, 0.8], 0.1) == [0.2, 0.8]
