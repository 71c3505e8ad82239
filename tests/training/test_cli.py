from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk import training
from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.training.config import TrainConfig

pytestmark = pytest.mark.train


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any], str]:
    status = main(words)
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    return status, json.loads(lines[-1]) if lines else {}, captured.err


@pytest.mark.parametrize("command", ["data", "train", "calibrate", "evaluate", "robustness"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out) > 100


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


def test_a_missing_extra_names_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "missing_modules", lambda: ("accelerate",))
    status, _, error = _run(capsys, "train")
    assert status == 2
    assert training.INSTALL_COMMAND in error
    assert "accelerate" in error
