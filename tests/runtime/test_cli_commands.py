"""`info`, the training commands, help, and what only a whole process shows."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tinyguardrail_sdk import __version__ as VERSION
from tinyguardrail_sdk.classifier import EmbeddedClassifier
from tinyguardrail_sdk.cli.check import open_guard
from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.cli.parser import build_parser

Refused = Callable[..., str]


def test_info_tells_what_would_judge(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json", "--checkpoint", str(checkpoint), "--threads", "3"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["name"] == "toy"
    assert facts["path"] == str(checkpoint.resolve())
    assert facts["files"]["deep.onnx"]["size"] == len("placeholder for deep.onnx")
    assert facts["thresholds"]["tool"]["permissive"] == 0.8
    assert facts["threads"] == 3
    assert facts["parameters"] == 1234567
    assert facts["versions"]["tinyguardrail-sdk"] == VERSION
    assert set(facts["versions"]) == {"tinyguardrail-sdk", "onnxruntime", "numpy", "python"}
    assert main(["info", "--checkpoint", str(checkpoint)]) == 0
    output = capsys.readouterr().out
    assert "toy, model 0.0.1, all files verified" in output
    assert "1,234,567" in output
    for name, entry in facts["files"].items():
        assert name in output
        assert entry["sha256"] in output


def test_info_verifies_every_file(checkpoint: Path, refused: Refused) -> None:
    (checkpoint / "embed.onnx").write_bytes(b"?")
    message = refused("info", "--checkpoint", str(checkpoint))
    assert message.startswith("tinyguardrail: ")
    assert "embed.onnx: truncated" in message


def test_a_training_command_without_its_extra_names_it(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert 'pip install "tinyguardrail-sdk[train]"' in refused("train")


@pytest.mark.parametrize(
    "command", ["data", "train", "calibrate", "evaluate", "robustness", "export", "report"]
)
def test_every_training_command_explains_itself(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"usage: tinyguardrail {command}" in capsys.readouterr().out


def test_training_commands_are_added_by_the_training_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def add_parsers(commands: Any) -> None:
        parser = commands.add_parser("train")
        parser.add_argument("--steps", type=int)
        parser.set_defaults(run=lambda arguments: arguments.steps)

    workshop = ModuleType("workshop")
    workshop.add_parsers = add_parsers  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tinyguardrail_sdk.training.cli", workshop)
    assert main(["train", "--steps", "41"]) == 41


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--help"], ["check", "info", "train", "examples:"]),
        (["check", "--help"], ["exit status:", "examples:", "--jsonl", "--encoding"]),
        (["info", "--help"], ["--checkpoint", "--json"]),
        (["--version"], [f"tinyguardrail {VERSION}"]),
    ],
)
def test_help_and_version(
    capsys: pytest.CaptureFixture[str], words: list[str], parts: list[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 0
    output = capsys.readouterr().out
    assert [part for part in parts if part not in output] == []


# What only a process shows


def test_a_bug_is_never_taken_for_a_verdict(
    monkeypatch: pytest.MonkeyPatch, refused: Refused
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tinyguardrail_sdk.cli.check.open_guard", broken)
    assert "ZeroDivisionError" in refused("check", "hello")


def test_a_reader_that_goes_away_causes_no_complaint(checkpoint: Path) -> None:
    words = [sys.executable, "-m", "tinyguardrail_sdk", "info", "--checkpoint", str(checkpoint)]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 2


def test_a_damaged_checkpoint_ends_a_pipeline_at_once(checkpoint: Path) -> None:
    (checkpoint / "fast.onnx").unlink()
    words = [sys.executable, "-m", "tinyguardrail_sdk", "check", "--jsonl", "-"]
    words += ["--checkpoint", str(checkpoint)]
    done = subprocess.run(words, input=b'"a"\n"b"\n', capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"fast.onnx: cannot be read" in done.stderr


def test_narrow_output_encodings_lose_nothing() -> None:
    code = (
        "import sys; from tinyguardrail_sdk.cli import check, main; "
        "from tinyguardrail_sdk import Guard; "
        "from tinyguardrail_sdk.testing import ScriptedClassifier; "
        "check.open_guard = lambda *_: Guard(classifier=ScriptedClassifier()); "
        "sys.exit(main.main(['check', '--batch', 'caf\\u00e9 \\u6f22']))"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert rb"caf\xe9 \u6f22" in done.stdout


def test_the_time_of_a_check_is_without_opening_the_network() -> None:
    guard = open_guard(build_parser(["check"]).parse_args(["check", "hello"]))
    assert isinstance(guard.classifier, EmbeddedClassifier)
    assert guard.classifier._opened is not None
