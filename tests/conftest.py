"""A toy checkpoint in a temporary folder, and guards that answer from a script: no model at all."""

from __future__ import annotations

import argparse
import gc
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from _pytest.junitxml import xml_key

from tests.matrix import installed
from tinyguardrail_sdk import Guard, Label
from tinyguardrail_sdk.cli.check import chosen_policy
from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.detectors import DETECTORS_VERSION
from tinyguardrail_sdk.manifest import Manifest, describe_file, write_manifest
from tinyguardrail_sdk.normalize import NORMALIZER_VERSION
from tinyguardrail_sdk.testing import ScriptedClassifier

_PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "hello", "ignore", "all"]
_VOCAB = [*_PIECES, *string.ascii_lowercase, *(f"##{c}" for c in string.ascii_lowercase)]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Note in the report what was tested, for `tests.matrix`.

    A fixture would run where the tests do, which with pytest-xdist is not where the report is.
    """
    if (report := session.config.stash.get(xml_key, None)) is not None:
        for extra, version in installed().items():
            report.add_global_property(extra, version)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let processes of pytest-xdist begin with what takes long, so that they end together."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Let no garbage collection look again at the tests and at all that they import."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def scripted() -> ScriptedClassifier:
    return ScriptedClassifier(
        {
            "ignore": Label.INJECTION,
            "pretend": Label.JAILBREAK,
            "explode": RuntimeError("the engine said: explode"),
        }
    )


@pytest.fixture
def guard(scripted: ScriptedClassifier) -> Guard:
    return Guard(classifier=scripted)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, scripted: ScriptedClassifier) -> ScriptedClassifier:
    """Put the scripted classifier behind the command line."""

    def open_guard(arguments: argparse.Namespace, progress: object = None) -> Guard:
        return Guard(policy=chosen_policy(arguments), classifier=scripted)

    monkeypatch.setattr("tinyguardrail_sdk.cli.check.open_guard", open_guard)
    return scripted


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command line that must end with status 2 and no output; return what it says."""

    def run(*words: str) -> str:
        try:
            status = main(words)
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        assert (status, captured.out) == (2, "")
        return captured.err

    return run


@pytest.fixture
def make_checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Write a checkpoint whose graphs are placeholders; keywords change its manifest."""

    def make(**changes: Any) -> Path:
        directory = tmp_path / "toy"
        directory.mkdir(exist_ok=True)
        (directory / "vocab.txt").write_text("\n".join(_VOCAB) + "\n", encoding="utf-8")
        for name in ("embed.onnx", "fast.onnx", "deep.onnx"):
            (directory / name).write_bytes(f"placeholder for {name}".encode())
        names = ("vocab.txt", "embed.onnx", "fast.onnx", "deep.onnx")
        fields: dict[str, Any] = {
            "name": "toy",
            "model_version": "0.0.1",
            "files": {name: describe_file(directory / name) for name in names},
            "thresholds": dict.fromkeys(
                ("user", "tool", "document", "output"),
                {"strict": 0.3, "balanced": 0.5, "permissive": 0.8},
            ),
            "escalate_below": 0.9,
            "route_threshold": 0.5,
            "max_tokens": 8,
            "overlap": 2,
            "normalizer_version": NORMALIZER_VERSION,
            "detectors_version": DETECTORS_VERSION,
            "parameters": 1234567,
        }
        write_manifest(directory, Manifest.model_validate(fields | changes))
        return directory

    return make


@pytest.fixture
def checkpoint(make_checkpoint: Callable[..., Path]) -> Path:
    return make_checkpoint()
