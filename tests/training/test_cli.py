from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk import training
from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT
from tinyguardrail_sdk.training import train
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.data.schema import Example, write_examples

pytestmark = pytest.mark.train


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    status = main(words)
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    return status, json.loads(lines[-1]) if lines else {}, captured.err


@pytest.mark.parametrize(
    "command", ["data", "pipeline", "train", "calibrate", "evaluate", "robustness"]
)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out) > 100


def test_a_stopped_training_names_the_command_that_goes_on(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "a run"
    stopped = train.TrainResult("interrupted", 3, 0.5, 2, output)
    monkeypatch.setattr(train, "main", lambda config, resume: stopped)
    files = ("--train", str(toy / "train.jsonl.gz"), "--validation", str(toy / "validation.jsonl"))
    status, result, error = _run(capsys, "train", *files, "--output", str(output))
    assert (status, result["step"]) == (130, 3)
    assert f"`tinyguardrail train --resume --output '{output}'`" in error


def test_a_terminal_shows_a_result_without_tables_in_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = tmp_path / "base.txt"
    base.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", encoding="utf-8")
    words = ("data", "vocabulary", "--base", str(base), "--output", str(tmp_path / "vocab.txt"))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert shown.startswith('{\n  "base": 4,\n')
    assert json.loads(shown)["base"] == 4


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "{rows}"),
        ("robustness", "{rows}", "--mutation", "base64"),
        ("compare", str(DEFAULT_CHECKPOINT), "--data", "{rows}"),
        ("data", "mix", "{rows}", "--output", "{folder}"),
        ("data", "audit", "{rows}"),
        ("data", "fetch", "--list"),
        ("pipeline", "--preset", "tiny", "--dry-run", "--output", "{folder}"),
    ],
)
def test_a_terminal_shows_tables_without_the_line_for_programs(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = tmp_path / "rows.jsonl"
    write_examples(rows, (Example(f"hello {n}", Label.BENIGN, family=str(n)) for n in range(4)))
    told = [word.format(rows=rows, folder=tmp_path / "out") for word in words]
    assert _run(capsys, *told)[1]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(told) == 0
    captured = capsys.readouterr()
    assert captured.out.count("\n") > 3 or captured.err.count("to do") > 3
    assert "{" not in captured.out


def test_a_run_from_a_file_with_flags_over_it_and_its_resumption(
    make_config: Callable[..., TrainConfig], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "run.json"
    config.write_text(json.dumps(make_config().to_dict()), encoding="utf-8")
    output = str(tmp_path / "elsewhere")
    words = ("train", "--config", str(config), "--output", output, "--max-steps", "2")
    status, result, _ = _run(capsys, *words)
    assert (status, result["reason"], result["step"]) == (0, "finished", 2)

    status, _, error = _run(capsys, *words)
    assert (status, "--resume" in error) == (2, True)

    status, result, _ = _run(capsys, "train", "--resume", "--output", output, "--max-steps", "3")
    assert (status, result["step"]) == (0, 3)


def test_a_wrong_argument_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (
        ("train", "--set", "optimizer.lrr=1"),
        ("train", "--resume", "--output", str(tmp_path / "none")),
        ("evaluate", "missing.jsonl", "--checkpoint", "missing"),
        ("calibrate", "--validation", "missing", "--checkpoint", "missing"),
    ):
        status, _, error = _run(capsys, *words)
        assert status == 2
        assert "Traceback" not in error
        assert error.startswith("tinyguardrail: ")
    assert not (tmp_path / "none").exists()


def test_a_resumed_run_stays_the_same_run(
    make_config: Callable[..., TrainConfig], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_config(schedule={"max_steps": 1})
    path = tmp_path / "run.json"
    path.write_text(json.dumps(config.to_dict()), encoding="utf-8")
    assert _run(capsys, "train", "--config", str(path))[0] == 0
    resume = ("train", "--resume", "--output", str(config.output), "--max-steps", "2")
    status, _, error = _run(capsys, *resume, "--set", "optimizer.lr=1e-4")
    assert (status, error.count("\n")) == (2, 1)
    assert "optimizer.lr is 0.003" in error

    other = tmp_path / "other.json"
    other.write_text(json.dumps(make_config(seed=5).to_dict()), encoding="utf-8")
    status, _, error = _run(capsys, *resume, "--config", str(other))
    assert (status, "seed is 20" in error) == (2, True)


def test_a_wrong_row_or_network_is_told_in_one_line(
    make_config: Callable[..., TrainConfig], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {"number": '{"text": 5, "label": "benign"}', "word": "hello",
            "label": '{"text": "x", "label": "spam"}'}  # fmt: skip
    for name, line in rows.items():
        (tmp_path / f"{name}.jsonl").write_text(line + "\n", encoding="utf-8")
    first = make_config(schedule={"max_steps": 1})
    train.main(first)
    config = tmp_path / "wide.json"
    wide = make_config(
        output=str(tmp_path / "wide"),
        init=str(first.output / "best"),
        network={"hidden": 32},
    )
    config.write_text(json.dumps(wide.to_dict()), encoding="utf-8")
    mined = ("--output", str(tmp_path / "mined.jsonl"))
    for words, said in (
        (("evaluate", str(tmp_path / "number.jsonl")), "number.jsonl, line 1"),
        (("data", "mine", str(tmp_path / "word.jsonl"), *mined), "word.jsonl, line 1"),
        (("data", "mine", str(tmp_path / "label.jsonl"), *mined), "label.jsonl, line 1"),
        (("export", "--run", str(first.output / "best"), "--output", "/"), "has no name"),
        (("train", "--config", str(config)), "set network.hidden=16"),
    ):
        status, _, error = _run(capsys, *words)
        # The last line; training says before it what it reads.
        last = error.splitlines()[-1]
        assert (status, "Traceback" in error) == (2, False)
        assert last.startswith("tinyguardrail: ")
        assert said in last


def test_the_vocabulary_of_a_base_is_extended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "base.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\n", encoding="utf-8")
    output = tmp_path / "vocab.txt"
    words = ("data", "vocabulary", "--base", str(tmp_path / "base.txt"), "--output", str(output))
    status, result, _ = _run(capsys, *words)
    pieces = output.read_text(encoding="utf-8").splitlines()
    assert (status, result) == (0, {"base": 5, "extended": len(pieces)})
    assert pieces[4] == "hello"
    assert len(pieces) > 3_700


def test_a_missing_extra_names_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "missing_modules", lambda: ("accelerate",))
    status, _, error = _run(capsys, "train")
    assert status == 2
    assert training.INSTALL_REMEDY in error
    assert "accelerate" in error
