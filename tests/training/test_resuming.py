"""A resumed run is the one that was stopped: same configuration, same windows."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk.errors import CheckpointError, InputError
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.data.corpora import corpora_facts, load_corpora
from tinyguardrail_sdk.training.data.schema import write_examples
from tinyguardrail_sdk.training.resuming import _MAY_CHANGE, refuse_changes
from tinyguardrail_sdk.training.settings import flat

pytestmark = pytest.mark.train

MakeConfig = Callable[..., TrainConfig]


def _facts(config: TrainConfig, **more: Any) -> dict[str, Any]:
    return {"config": config.to_dict(), **more}


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("optimizer.lr", {"optimizer": {"lr": 1e-4}}),
        ("optimizer.accumulation", {"optimizer": {"accumulation": 2}}),
        ("seed", {"seed": 5}),
        ("init", {"init": "shipped"}),
        ("validate_every", {"validate_every": 9}),
        ("data.tokens_per_batch", {"data": {"tokens_per_batch": 512}}),
        ("data.max_rows", {"data": {"max_rows": 8}}),
        ("data.train", {"data": {"train": ["other.jsonl"]}}),
        ("schedule.warmup", {"schedule": {"warmup": 0.2}}),
        ("network.hidden", {"network": {"hidden": 32}}),
        ("losses.focal_gamma", {"losses": {"focal_gamma": 2.0}}),
        ("distillation.teacher", {"distillation": {"teacher": "shipped"}}),
        ("distillation.weight", {"distillation": {"weight": 2.0}}),
    ],
)
def test_what_makes_another_run_is_refused(
    make_config: MakeConfig, field: str, change: dict[str, Any]
) -> None:
    facts = _facts(make_config())
    with pytest.raises(InputError, match=f"^{field} is .*new run from its weights with --init"):
        refuse_changes(make_config(**change), facts, 1)


def test_length_patience_logging_and_machine_may_change(make_config: MakeConfig) -> None:
    before = make_config()
    after = make_config(
        output="moved", patience=3, log_every=7, threads=2, checkpoint_minutes=1.0,
        data={"workers": 3}, schedule={"max_steps": 0, "max_minutes": 5.0, "epochs": 9.0},
    )  # fmt: skip
    refuse_changes(after, _facts(before), 1)
    assert set(flat(before.to_dict())) > _MAY_CHANGE


def test_another_number_of_processes_is_refused(make_config: MakeConfig) -> None:
    config = make_config()
    refuse_changes(config, _facts(config, processes=2), 2)
    refuse_changes(config, _facts(config), 2)  # a checkpoint from before it was stored
    with pytest.raises(InputError, match="made by 2 processes, not 1"):
        refuse_changes(config, _facts(config, processes=2), 1)


@pytest.fixture
def movable(make_config: MakeConfig, toy: Path, tmp_path: Path) -> TrainConfig:
    """A toy run with data and cache of its own."""
    shutil.copyfile(toy / "train.jsonl.gz", tmp_path / "mine.jsonl.gz")
    train, cache = [str(tmp_path / "mine.jsonl.gz")], str(tmp_path / "cache")
    return make_config(data={"train": train, "cache": cache})


def _begin(config: TrainConfig) -> dict[str, Any]:
    return corpora_facts(*load_corpora(config, {}, lambda line: None))


def test_lost_windows_are_made_again_from_the_same_inputs(movable: TrainConfig) -> None:
    facts = _begin(movable)
    shutil.rmtree(movable.cache)
    assert corpora_facts(*load_corpora(movable, facts, lambda line: None)) == facts


def test_lost_windows_and_other_data_end_the_resumption(movable: TrainConfig) -> None:
    facts = _begin(movable)
    write_examples(movable.data.train[0], [])
    load_corpora(movable, facts, lambda line: None)  # the windows are still there
    shutil.rmtree(movable.cache)
    with pytest.raises(CheckpointError, match=r"changed since then: the file mine\.jsonl\.gz; put"):
        load_corpora(movable, facts, lambda line: None)
    del facts["inputs"]  # a checkpoint from before they were stored
    with pytest.raises(CheckpointError, match="or the package's code are others"):
        load_corpora(movable, facts, lambda line: None)
