"""The exported folder: its name, and what its manifest says of the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.checkpoint import RunFolder, Snapshot
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.export.bundle import export
from tinyguardrail_sdk.training.network.model import TinyGuardrail

pytestmark = pytest.mark.train


@pytest.fixture
def config(make_config: Callable[..., TrainConfig], tmp_path: Path) -> TrainConfig:
    return make_config(
        init=str(tmp_path / "before" / "best"),
        distillation={"teacher": str(tmp_path / "taught" / "by")},
    )


@pytest.fixture
def best(config: TrainConfig, tmp_path: Path) -> Path:
    facts = {
        "version": "1.2.3", "code": "unknown", "config": config.to_dict(), "corpora": {},
        "position": {"step": 3, "elapsed": 60.0}, "metrics": {},
    }  # fmt: skip
    weights = TinyGuardrail(config.network, config.losses).state_dict()
    return RunFolder(tmp_path / "run").save_best(Snapshot(weights, None, None, facts))


def test_the_manifest_holds_the_whole_run_and_no_place_of_this_machine(
    best: Path, config: TrainConfig, tmp_path: Path
) -> None:
    record = export(best, tmp_path / "made", model_version="1").training
    assert record["version"] == "1.2.3"
    run = record["config"]
    stated = config.to_dict()
    for section in ("optimizer", "schedule", "network", "losses"):
        assert run[section] == stated[section]
    assert (run["seed"], run["init"]) == (config.seed, "best")
    assert run["distillation"]["teacher"] == "by"
    assert run["data"]["train"] == ["train.jsonl.gz"]
    assert run["data"]["max_tokens"] == 24
    assert str(tmp_path.parent) not in json.dumps(record)


def test_the_folder_one_stands_in_has_a_name_too(
    best: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made").mkdir()
    monkeypatch.chdir(tmp_path / "made")
    assert export(best, Path("."), model_version="1").name == "made"


def test_a_folder_without_a_name_is_refused_before_anything_is_written(best: Path) -> None:
    with pytest.raises(InputError, match="choose another --output"):
        export(best, Path(Path.cwd().anchor), model_version="1")
