"""All stages in one command: a whole small run once, then what it does when asked again."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.manifest import load_manifest
from tinyguardrail_sdk.training import train as training
from tinyguardrail_sdk.training.compare import REGRESSION_SET
from tinyguardrail_sdk.training.data.schema import Example, read_examples, write_examples
from tinyguardrail_sdk.training.fields import word
from tinyguardrail_sdk.training.pipeline import contents, work
from tinyguardrail_sdk.training.pipeline.config import PipelineConfig, load_pipeline
from tinyguardrail_sdk.training.pipeline.presets import PRESETS
from tinyguardrail_sdk.training.run_files import METRICS
from tinyguardrail_sdk.training.train import TrainResult

pytestmark = pytest.mark.train

_STAGES = ["generate", "audit", "train", "export", "evaluate", "compare", "report"]
_SMALL = (
    "data.samples=120", "train.schedule.epochs=1", "train.data.max_tokens=32",
    "train.data.overlap=4", "train.network.hidden=16", "train.threads=1", "compare.texts=8",
)  # fmt: skip

Ask = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def run(output: Path, *words: str) -> tuple[int, dict[str, Any], str]:
        settings = [word for setting in _SMALL for word in ("--set", setting)]
        status = main(["pipeline", "--preset", "tiny", "--output", str(output), *settings, *words])
        captured = capsys.readouterr()
        lines = captured.out.splitlines()
        assert len(lines) <= 1
        return status, json.loads(lines[0]) if lines else {}, captured.err

    return run


@pytest.fixture
def finished(ask: Ask, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of one whole run: a test may change it."""
    kept = tmp_path_factory.getbasetemp() / "pipeline-run"
    if not kept.exists():
        assert ask(kept)[0] == 0
    shutil.copytree(kept, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stages that do nothing but tell their name."""
    did: list[str] = []

    def stub(name: str) -> Callable[..., dict[str, Any]]:
        def do(*_: object) -> dict[str, Any]:
            did.append(name)
            return {"worse": []} if name == "compare" else {}

        return do

    for name in _STAGES:
        monkeypatch.setattr(work, name, stub(name))
    return did


def test_one_command_makes_a_checkpoint_and_its_report(finished: Path, ask: Ask) -> None:
    status, result, _ = ask(finished)
    assert (status, list(result["stages"])) == (0, _STAGES)
    assert load_manifest(finished / "my-guard").metrics["calibration"]["texts"] > 0
    assert Path(result["report"]).read_text("utf-8").startswith("<!doctype html>")
    learned = sum(1 for _ in read_examples(finished / "data" / "train.jsonl.gz"))
    assert json.loads((finished / "audit.json").read_text("utf-8"))["rows"] == learned
    figures = json.loads((finished / "final_metrics.json").read_text("utf-8"))
    assert list(figures)[:2] == ["headline", "comparison"]
    assert figures["headline"] == result["metrics"]
    assert list(figures["run"])[-1] == "config"
    assert figures["evaluation"]["texts"] == result["metrics"]["texts"] > 0
    assert not any("not exported from this run" in note for note in figures["notes"])
    assert figures["comparison"]["worse"] == result["worse"]
    assert figures["comparison"]["changes"]["all"]["texts"] == 8
    assert result["worse_than_shipped"] is bool(result["worse"])


def test_a_finished_run_is_skipped_stage_by_stage(
    finished: Path, ask: Ask, idle: list[str]
) -> None:
    status, result, told = ask(finished, "--set", "train.log_every=7")
    assert (status, idle) == (0, [])
    assert set(result["stages"].values()) == {"skipped"}
    assert told.count("finished and unchanged, skipped") == len(_STAGES)


def test_what_was_not_touched_is_hashed_at_the_first_start_only(
    finished: Path, ask: Ask, idle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 10**10)
    assert ask(finished)[0] == 0

    def refuse(path: Path) -> str:
        raise AssertionError(path)

    monkeypatch.setattr(contents, "_read", refuse)
    assert ask(finished)[0] == 0
    assert idle == []


def test_what_is_missing_or_other_is_made_again_and_what_follows_from_it(
    finished: Path, ask: Ask, idle: list[str]
) -> None:
    (finished / "comparison.json").write_text("{}", encoding="utf-8")
    status, result, _ = ask(finished)
    assert (status, idle) == (0, ["compare", "report"])
    assert [result["stages"][name] for name in _STAGES[:5]] == ["skipped"] * 5


def test_an_interrupted_stage_ends_with_130_and_goes_on_later(
    finished: Path, ask: Ask, idle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> dict[str, Any]:
        raise KeyboardInterrupt

    evaluation = (finished / "evaluation").rename(finished / "away")
    with monkeypatch.context() as patched:
        patched.setattr(work, "evaluate", interrupt)
        status, result, told = ask(finished)
    assert (status, result["interrupted"], idle) == (130, "evaluate", [])
    assert "the same command goes on" in told
    evaluation.rename(finished / "evaluation")
    assert ask(finished)[0] == 0
    assert idle == ["evaluate"]


def test_an_interrupted_training_is_resumed(
    finished: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumed: list[bool] = []

    def stopped(config: Any, *, resume: bool) -> TrainResult:
        resumed.append(resume)
        return TrainResult("interrupted", 1, 0.0, 0, config.output)

    monkeypatch.setattr(training, "main", stopped)
    shutil.rmtree(finished / "train" / "best")
    status, result, _ = ask(finished)
    assert (status, result["interrupted"], resumed) == (130, "train", [True])


def test_other_settings_are_refused_by_name(finished: Path, ask: Ask) -> None:
    status, _, told = ask(finished, "--set", "train.optimizer.lr=1e-4", "--set", "data.seed=8")
    assert (status, told.count("\n")) == (2, 1)
    assert "data.seed was 7 and is 8; train.optimizer.lr was 0.002 and is 0.0001" in told
    assert "another --output" in told
    assert "--restart" in told


def test_a_training_is_not_thrown_away_for_other_data(
    finished: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(finished / "data" / "test.jsonl.gz", finished / "data" / "train.jsonl.gz")
    monkeypatch.setattr(work, "generate", lambda *_: {})
    status, _, told = ask(finished)
    assert status == 2
    assert "changed since the training began: data/train.jsonl.gz" in told


@pytest.mark.parametrize("damage", [b"no gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xff", b"cut"])
def test_a_damaged_input_is_named(
    damage: bytes, toy: Path, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def generate(_: PipelineConfig, layout: Any) -> dict[str, Any]:
        layout.generated.mkdir(parents=True)
        (layout.generated / "train.jsonl").touch()
        return {}

    monkeypatch.setattr(work, "generate", generate)
    own = tmp_path / "own.jsonl.gz"
    whole = (toy / "train.jsonl.gz").read_bytes()
    own.write_bytes(whole[:-12] if damage == b"cut" else damage)
    words = ("--set", f"data.inputs={json.dumps([str(own)])}")
    status, _, told = ask(tmp_path / "run", *words)
    assert status == 2
    assert re.search(r"own\.jsonl\.gz.*damaged.*write the file again", told.splitlines()[-1])
    # What is wrong with the first rows is found before anything begins.
    assert (tmp_path / "run").exists() == (damage == b"cut")
    assert ask(tmp_path / "run", *words, "--dry-run")[0] == (0 if damage == b"cut" else 2)


@pytest.mark.parametrize("field", ["init", "distillation.teacher"])
def test_weights_that_training_reads_are_its_inputs(
    field: str, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[bool] = []

    def train(_: PipelineConfig, layout: Any) -> dict[str, Any]:
        trained.append(True)
        layout.run.best.mkdir(parents=True, exist_ok=True)
        for path in (layout.run.best / "weights", layout.run.root / METRICS):
            path.write_text("made", encoding="utf-8")
        return {}

    def interrupt(*_: object) -> dict[str, Any]:
        raise KeyboardInterrupt

    weights = tmp_path / "weights"
    weights.mkdir()
    monkeypatch.setattr(work, "train", train)
    monkeypatch.setattr(work, "export", interrupt)
    for content, times in (("one", 1), ("one", 1), ("two", 2)):
        (weights / "model").write_text(content, encoding="utf-8")
        assert ask(tmp_path / "run", "--set", f"train.{field}={weights}")[0] == 130
        assert len(trained) == times


def test_a_restart_removes_what_was_made_and_nothing_else(
    finished: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> dict[str, Any]:
        raise InputError("enough")

    (finished / "notes.txt").write_text("mine", encoding="utf-8")
    monkeypatch.setattr(work, "generate", refuse)
    assert ask(finished, "--restart", "--set", "data.seed=8")[0] == 2
    assert sorted(path.name for path in finished.iterdir()) == ["notes.txt", "pipeline.json"]


def test_what_no_pipeline_made_is_left_alone(tmp_path: Path, ask: Ask) -> None:
    (tmp_path / "data").mkdir()
    for words in ((), ("--restart",), ("--dry-run",)):
        status, _, told = ask(tmp_path, *words)
        assert (status, "no pipeline made it" in told) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_own_texts_are_mixed_in_before_training(
    toy: Path, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []

    def stop(config: PipelineConfig, layout: Any) -> dict[str, Any]:
        seen.append(work.training_config(config, layout).data.train[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "train", stop)
    judged_by = tmp_path / "known.jsonl"
    write_examples(judged_by, islice(read_examples(REGRESSION_SET), 3))
    own = json.dumps([str(toy / "train.jsonl.gz"), str(judged_by)])
    status, result, _ = ask(tmp_path / "run", "--set", f"data.inputs={own}")
    assert (status, list(result["stages"])) == (130, ["generate", "mix", "audit"])
    assert seen == [(tmp_path / "run" / "mixed" / "train.jsonl.gz").resolve()]
    report = json.loads((tmp_path / "run" / "mixed" / "mix.json").read_text("utf-8"))
    assert report["read"] > 160
    # What the checkpoint will be compared on is not learnt.
    assert report["files"][-1]["dropped"] == {"copy of an evaluation text": 3}


def test_a_data_set_that_cannot_be_had_stops_the_run(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = {"fetched": {}, "failed": {"deepset": "deepset: no network"}}
    monkeypatch.setattr(work, "fetch_sets", lambda *_: failed)
    status, _, told = ask(tmp_path / "run", "--set", 'data.fetch=["deepset"]')
    assert (status, told.splitlines()[-1]) == (2, "tinyguardrail: deepset: no network")


def test_the_plan_is_shown_and_nothing_made(tmp_path: Path, ask: Ask) -> None:
    status, result, told = ask(tmp_path / "run", "--dry-run")
    assert (status, [entry["stage"] for entry in result["plan"]]) == (0, _STAGES)
    assert {entry["state"] for entry in result["plan"]} == {"to do"}
    assert result["plan"][0]["settings"]["data.samples"] == 120
    assert result["plan"][4]["reads"][-1] == str(tmp_path / "run" / "data" / "test.jsonl.gz")
    heads = [line for line in told.splitlines() if not line.startswith(" ")]
    assert heads == [f"[{n}/{len(_STAGES)}] {name}: to do" for n, name in enumerate(_STAGES, 1)]
    assert f"    writes: {tmp_path / 'run' / 'my-guard'}\n" in told
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("preset", PRESETS)
def test_what_a_plan_names_is_what_set_takes(
    tmp_path: Path, preset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"data": {"inputs": [str(tmp_path / "mine.jsonl")]}}  # so that all settings are used
    config = tmp_path / "own.json"
    config.write_text(json.dumps(own), encoding="utf-8")
    write_examples(tmp_path / "mine.jsonl", [Example("hello", Label.BENIGN)])
    words = ("pipeline", "--preset", preset, "--config", str(config), "--dry-run")
    assert main((*words, "--output", str(tmp_path / "run"))) == 0
    captured = capsys.readouterr()
    stages = json.loads(captured.out)["plan"]
    told = [word(*setting) for stage in stages for setting in stage["settings"].items()]
    assert load_pipeline("large", overrides=told) == load_pipeline(preset, config)
    lines = [line for line in captured.err.splitlines() if line.startswith("    ")]
    shown = {one for line in lines if "s: " not in line for one in line.split()}
    assert shown == set(told)
