"""What a finished variant may be taken for: never for one of other settings or texts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from benchmarks import ablation
from tinyguardrail_sdk.errors import InputError

pytestmark = pytest.mark.train


def _arguments(monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    monkeypatch.setattr(sys, "argv", ["ablation", *words])
    return ablation._arguments()


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs one variant with stand-ins for training and scoring, and tells which were called."""
    called: list[str] = []

    def train(name: str, config: Any, blank: Any) -> None:
        called.append("train")
        config.output.mkdir(parents=True)

    def score(*_: Any) -> dict[str, Any]:
        called.append("score")
        return {"times": called.count("score")}

    monkeypatch.setattr(ablation, "_train", train)
    monkeypatch.setattr(ablation, "_score", score)
    parts = {part: [tmp_path / f"{part}.jsonl"] for part in ("train", "validation", "test")}
    for (path,) in parts.values():
        path.write_text("as it was", encoding="utf-8")
    given = [f"--{part}={path}" for part, (path,) in parts.items()]

    def run(*words: str) -> tuple[list[str], dict[str, Any]]:
        arguments = _arguments(monkeypatch, f"--output={tmp_path}", *given, *words)
        called.clear()
        result = ablation._result(ablation.BASELINE, ablation._files(arguments), arguments)
        return list(called), result

    return run


def test_a_finished_variant_is_read(ask: Any) -> None:
    assert ask("--smallest")[0] == ["train", "score"]
    assert ask("--smallest") == ([], ask("--smallest")[1])


def test_other_test_texts_are_scored_and_not_trained_on(ask: Any, tmp_path: Path) -> None:
    ask("--smallest")
    (tmp_path / "test.jsonl").write_text("other", encoding="utf-8")
    assert ask("--smallest")[0] == ["score"]
    assert ask("--smallest")[0] == []


@pytest.mark.parametrize("part", ["train", "validation"])
def test_other_texts_to_learn_from_are_refused(ask: Any, tmp_path: Path, part: str) -> None:
    ask("--smallest")
    (tmp_path / f"{part}.jsonl").write_text("other", encoding="utf-8")
    with pytest.raises(InputError, match="other settings or texts"):
        ask("--smallest")


def test_other_settings_are_refused(ask: Any) -> None:
    ask("--smallest")
    with pytest.raises(InputError, match="other settings or texts"):
        ask("--smallest", "--steps", "3")


def test_from_scratch_all_weights_learn_as_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--init", "a_base", "--steps", "3", "--set", "optimizer.new_lr=2e-3"]
    arguments = _arguments(monkeypatch, *words)
    files: dict[str, list[Path]] = {"train": [], "validation": []}
    base, scratch = (
        ablation._config(name, files, arguments) for name in (ablation.BASELINE, "from scratch")
    )
    assert (base.init, scratch.init) == ("a_base", "scratch")
    assert base.optimizer.lr < scratch.optimizer.lr == scratch.optimizer.new_lr == 2e-3
    assert base.schedule == scratch.schedule
