from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from tinyguardrail_sdk.errors import CheckpointError, InputError
from tinyguardrail_sdk.training import checkpoint
from tinyguardrail_sdk.training.checkpoint import RunFolder, Snapshot
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.network.model import TinyGuardrail


def _snapshot(value: float = 1.0, facts: dict[str, Any] | None = None) -> Snapshot:
    weights = {"w": torch.full((3,), value)}
    return Snapshot(weights, {"w": weights["w"] + 1}, {"step": torch.ones(1)}, facts or {}, b"")


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    for step in (2, 9, 10):
        run.save_step(step, _snapshot(step))
    assert [path.name for path in run.steps()] == ["step-9", "step-10"]
    assert run.latest().name == "step-10"
    assert checkpoint.load_weights(run.latest())["w"].tolist() == [10, 10, 10]
    assert checkpoint.load_weights(run.latest(), raw=True)["w"].tolist() == [11, 11, 11]
    assert checkpoint.load_optimizer(run.latest())["step"].item() == 1


@contextmanager
def _files_limited_to(size: int) -> Iterator[None]:
    """Make writes past `size` bytes of a file fail, as on a full disk."""
    resource = pytest.importorskip("resource")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


@pytest.mark.parametrize("size", [50, 500], ids=["weights", "optimizer"])
def test_a_failed_write_leaves_what_was_there(tmp_path: Path, size: int) -> None:
    run = RunFolder(tmp_path)
    run.save_best(_snapshot(1.0))
    run.save_step(1, _snapshot(1.0))
    with _files_limited_to(size), pytest.raises(OSError, match="disk is full or failing"):
        run.save_best(_snapshot(2.0))
    with (
        pytest.raises(CheckpointError, match=r"make room on the disk, .*--resume, from step-1$"),
        run.remedy(),
        _files_limited_to(size),
    ):
        run.save_step(2, _snapshot(2.0))
    assert checkpoint.load_weights(run.best)["w"][0] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "step-1"]


def test_a_crash_in_the_middle_is_cleaned_up(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    (tmp_path / ".step-5.partial").mkdir()
    for path in (run.save_best(_snapshot(1.0)), run.save_step(4, _snapshot(1.0))):
        path.rename(tmp_path / f".{path.name}.retired")  # died between the two renames
    run.save_step(3, _snapshot(1.0))
    (tmp_path / ".step-3.retired").mkdir()  # died after them
    again = RunFolder(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best", "step-3", "step-4"]
    assert checkpoint.load_weights(again.best)["w"][0] == 1
    assert checkpoint.load_weights(again.latest())["w"][0] == 1


def test_nothing_to_resume_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="train without --resume"):
        RunFolder(tmp_path).latest()


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("model.safetensors", checkpoint.load_weights),
        ("optimizer.pt", checkpoint.load_optimizer),
        ("training.json", checkpoint.load_facts),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_damage_names_the_file(
    tmp_path: Path, name: str, load: Callable[[Path], object], damage: str
) -> None:
    path = RunFolder(tmp_path).save_step(1, _snapshot()) / name
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError, match=name):
        load(path.parent)


class _Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("code in a checkpoint was run",))


def test_code_in_an_optimizer_file_is_never_run(tmp_path: Path) -> None:
    torch.save({"optimizer": _Trap()}, tmp_path / "optimizer.pt")
    with pytest.raises(CheckpointError, match=r"optimizer\.pt"):
        checkpoint.load_optimizer(tmp_path)


def test_a_model_comes_back_from_its_folder(
    tmp_path: Path, make_config: Callable[..., TrainConfig]
) -> None:
    config = make_config()
    model = TinyGuardrail(config.network, config.losses)
    facts = {"config": config.to_dict()}
    vocab = config.data.vocab.read_bytes()
    folder = RunFolder(tmp_path).save_best(Snapshot(model.state_dict(), None, None, facts, vocab))
    loaded, loaded_config = checkpoint.load_model(folder)
    assert loaded_config.data.vocab == folder / "vocab.txt"
    assert loaded_config.data.vocab.read_bytes() == vocab
    assert checkpoint.stored_config(loaded_config) == checkpoint.stored_config(config)
    assert not loaded.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name])

    facts["config"]["network"]["hidden"] = 32
    (folder / "training.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(CheckpointError, match="not of the network"):
        checkpoint.load_model(folder)


def test_weights_of_another_network_name_what_to_set(
    tmp_path: Path, make_config: Callable[..., TrainConfig]
) -> None:
    config = make_config()
    weights = TinyGuardrail(config.network, config.losses).state_dict()
    snapshot = Snapshot(weights, None, None, {"config": config.to_dict()}, b"")
    folder = RunFolder(tmp_path).save_best(snapshot)
    other = make_config(network={"hidden": 32, "fast_ffn": 8})
    with pytest.raises(InputError, match=r"set network\.hidden=16, network\.fast_ffn=16$"):
        checkpoint.load_into(TinyGuardrail(other.network, other.losses), folder)
