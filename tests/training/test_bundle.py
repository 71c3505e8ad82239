"""The exported folder: its name, and what its manifest says of the run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyguardrail_sdk.errors import CheckpointError, InputError
from tinyguardrail_sdk.manifest import hash_of
from tinyguardrail_sdk.training.checkpoint import FACTS, RunFolder, Snapshot, stored_config
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.data.corpus import VOCABULARY
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
    vocab = config.data.vocab
    facts = {
        "version": "1.2.3", "code": "unknown", "config": stored_config(config), "corpora": {},
        "position": {"step": 3, "elapsed": 60.0}, "metrics": {},
        "inputs": {"train": {VOCABULARY: hash_of(vocab)[:16]}},
    }  # fmt: skip
    weights = TinyGuardrail(config.network, config.losses).state_dict()
    snapshot = Snapshot(weights, None, None, facts, vocab.read_bytes())
    return RunFolder(tmp_path / "run").save_best(snapshot)


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


def test_a_checkpoint_is_exported_wherever_it_and_its_vocabulary_have_gone(
    best: Path, config: TrainConfig, tmp_path: Path
) -> None:
    assert str(config.data.vocab) not in (best / FACTS).read_text(encoding="utf-8")
    moved = best.rename(tmp_path / "elsewhere")
    made = tmp_path / "made"
    export(moved, made, model_version="1")
    assert (made / "vocab.txt").read_bytes() == config.data.vocab.read_bytes()


@pytest.fixture
def older(best: Path, config: TrainConfig, tmp_path: Path) -> Path:
    """`best` as it was kept before it held its vocabulary, which has been moved since."""
    (best / "vocab.txt").unlink()
    facts = json.loads((best / FACTS).read_text(encoding="utf-8"))
    facts["config"] = config.to_dict()
    facts["config"]["data"]["vocab"] = str(tmp_path / "guard-v0" / "vocab.txt")
    (best / FACTS).write_text(json.dumps(facts), encoding="utf-8")
    return best


def test_an_older_checkpoint_whose_vocabulary_is_gone_names_the_remedy(
    older: Path, config: TrainConfig, tmp_path: Path
) -> None:
    made, remedy = tmp_path / "made", older / "vocab.txt"
    with pytest.raises(CheckpointError, match="no such file any more") as error:
        export(older, made, model_version="1")
    assert str(tmp_path / "guard-v0" / "vocab.txt") in str(error.value)
    assert f"to {remedy} " in str(error.value)
    assert not made.exists()
    remedy.write_text("[PAD]\n", encoding="utf-8")
    with pytest.raises(CheckpointError, match="this is another vocabulary"):
        export(older, made, model_version="1")
    assert not made.exists()
    shutil.copyfile(config.data.vocab, remedy)
    export(older, made, model_version="1")
    assert (made / "vocab.txt").read_bytes() == config.data.vocab.read_bytes()
