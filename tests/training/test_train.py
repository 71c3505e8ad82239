from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate.state import AcceleratorState

from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.errors import CheckpointError
from tinyguardrail_sdk.training import session, train
from tinyguardrail_sdk.training.checkpoint import RunFolder, load_facts, load_weights
from tinyguardrail_sdk.training.config import ScheduleConfig, TrainConfig
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.reporter import Reporter
from tinyguardrail_sdk.training.schedule import Schedule

pytestmark = pytest.mark.train

MakeConfig = Callable[..., TrainConfig]


def _records(config: TrainConfig) -> list[dict[str, Any]]:
    lines = (config.output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def _stop_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send this process SIGTERM in the middle of a step."""
    seen = []
    add = session.Tally.add

    def counted(self: session.Tally, *arguments: Any) -> None:
        seen.append(1)
        if len(seen) == batches:
            os.kill(os.getpid(), signal.SIGTERM)
        add(self, *arguments)

    monkeypatch.setattr(session.Tally, "add", counted)


def _difference(a: Path, b: Path, *, raw: bool = False) -> float:
    one, two = load_weights(a, raw=raw), load_weights(b, raw=raw)
    assert one.keys() == two.keys()
    return max(float((one[name] - two[name]).abs().max()) for name in one)


def test_a_toy_network_learns_a_toy_task(make_config: MakeConfig) -> None:
    config = make_config(schedule={"max_steps": 150}, validate_every=50)
    result = train.main(config)
    assert result.reason == "finished"
    assert result.best > 0.9
    losses = [record["loss"] for record in _records(config) if record["kind"] == "train"]
    assert losses[-1] < 0.5 * losses[0]
    facts = load_facts(config.output / "best")
    assert facts["metrics"]["score"] == result.best
    assert facts["position"]["step"] == result.best_step
    assert not (config.output / "best" / "optimizer.pt").exists()


@pytest.fixture
def another_precision() -> Iterator[None]:
    """A process has one precision; the other tests have theirs."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.usefixtures("another_precision")
def test_half_precision_and_distillation_learn_the_toy_task(make_config: MakeConfig) -> None:
    config = make_config(
        schedule={"max_steps": 150},
        validate_every=50,
        precision="bf16",
        losses={"distillation": 0.5},
    )
    assert train.main(config).best > 0.9
    records = [record for record in _records(config) if record["kind"] == "train"]
    assert records[-1]["loss"] < 0.5 * records[0]["loss"]
    assert records[-1]["losses"]["distillation"] > 0


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"optimizer": {"accumulation": 2, "ema": 0.9}, "schedule": {"quantized_from": 0.5}},
        {
            "optimizer": {"ema": 0.9},
            "schedule": {"quantized_from": 0.5},
            "network": {"tied": True, "fast_layers": 4, "deep_layers": 8},
        },
    ],
    ids=["plain", "accumulated, averaged, quantised", "tied, averaged, quantised"],
)
def test_a_stopped_run_resumes_to_the_same_weights(
    make_config: MakeConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    recipe: dict[str, Any],
) -> None:
    whole = make_config(output=str(tmp_path / "whole"), **recipe)
    halved = make_config(output=str(tmp_path / "halved"), **recipe)
    train.main(whole)
    with monkeypatch.context() as patch:
        _stop_after(5 * whole.optimizer.accumulation, patch)
        stopped = train.main(halved)
    assert (stopped.reason, stopped.step) == ("interrupted", 5)
    resumed = train.main(halved, resume=True)
    assert (resumed.reason, resumed.step) == ("finished", 8)
    for raw in (False, True):
        assert _difference(whole.output / "step-8", halved.output / "step-8", raw=raw) == 0.0
    assert _difference(whole.output / "best", halved.output / "best") == 0.0
    steps = [(record["kind"], record["step"]) for record in _records(halved)]
    assert steps == [(record["kind"], record["step"]) for record in _records(whole)]


def test_a_stopped_run_says_where_it_is_and_a_resumed_one_that_it_goes_on(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_config(validate_every=8)
    with monkeypatch.context() as patch:
        _stop_after(2, patch)
        train.main(config)
    told = capsys.readouterr().err
    assert "interrupted after 2 steps; no validation yet" in told
    assert f"saved in {config.output / 'step-2'}" in told
    train.main(config, resume=True)
    told = capsys.readouterr().err
    assert f"goes on after step 2, from {config.output / 'step-2'}" in told
    assert f"best score {load_facts(config.output / 'best')['position']['best']:.4f}" in told


def test_an_interrupt_before_the_first_step_is_told(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "load_corpora", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train.main(make_config())
    assert (
        "interrupted before step 1; give the same command again (without --resume"
        in capsys.readouterr().err
    )


def test_what_was_validated_before_quantisation_is_no_score_of_what_comes_after(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_config(validate_every=2, schedule={"max_steps": 8, "quantized_from": 0.5})
    _stop_after(5, monkeypatch)
    train.main(config)
    told = capsys.readouterr().err
    assert f"not validated since quantisation began; {config.output / 'best'} is of step" in told


_DIES_IN_ITS_SECOND_EPOCH = """
import json, os, signal, sys
from pathlib import Path
from tinyguardrail_sdk.training import session, train
from tinyguardrail_sdk.training.config import from_dict

batches, add = int(sys.argv[2]), session.Tally.add
seen = []

def counted(self, *arguments):
    seen.append(1)
    if len(seen) > batches:
        os.kill(os.getpid(), signal.SIGKILL)
    add(self, *arguments)

session.Tally.add = counted
train.main(from_dict(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
"""


def test_a_run_killed_after_an_epoch_goes_on_from_its_end(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    length = {"schedule": {"max_steps": 0, "epochs": 1.5}}
    whole = make_config(output=str(tmp_path / "whole"), **length)
    killed = make_config(output=str(tmp_path / "killed"), **length)
    steps = train.main(whole).step
    epoch = steps * 2 // 3  # one batch a step; the length is rounded up
    told = tmp_path / "run.json"
    told.write_text(json.dumps(killed.to_dict()), encoding="utf-8")
    words = [sys.executable, "-c", _DIES_IN_ITS_SECOND_EPOCH, str(told), str(epoch)]
    known = {**os.environ, "PYTHONPATH": str(Path(train.__file__).parents[2])}
    ended = subprocess.run(words, env=known, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-2000:]
    last = RunFolder(killed.output).latest()
    place = load_facts(last)["position"]
    assert (last.name, place["epoch"], place["batch"]) == (f"step-{epoch}", 0, epoch)
    assert train.main(killed, resume=True).step == steps
    assert _difference(whole.output / f"step-{steps}", killed.output / f"step-{steps}") == 0.0


def test_a_stopped_run_needs_its_vocabulary_no_more(
    make_config: MakeConfig, toy: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "vocab.txt"
    shutil.copyfile(toy / "vocab.txt", mine)
    config = make_config(data={"vocab": str(mine)}, schedule={"max_steps": 2})
    train.main(config)
    mine.rename(tmp_path / "moved.txt")
    resumed = ["train", "--resume", f"--output={config.output}", "--max-steps=4"]
    assert main(resumed) == 0
    for name in ("best", "step-4"):
        held = (config.output / name / "vocab.txt").read_bytes()
        assert held == (toy / "vocab.txt").read_bytes()
    mine.write_text("[PAD]\n", encoding="utf-8")
    with pytest.raises(CheckpointError, match="this is another vocabulary"):
        train.main(config, resume=True)


def test_every_process_goes_on_with_its_own_random_state() -> None:
    second: Any = SimpleNamespace(process_index=1, device=torch.device("cpu"))
    before = torch.get_rng_state()
    torch.manual_seed(1)
    states = {"cpu": torch.stack([before, torch.get_rng_state()])}
    drawn = torch.rand(3)
    session.restore_random_states(second, states)
    assert torch.equal(torch.rand(3), drawn)
    torch.set_rng_state(before)


def test_the_average_is_kept_apart_from_what_is_trained(make_config: MakeConfig) -> None:
    config = make_config(optimizer={"ema": 0.9})
    train.main(config)
    last = RunFolder(config.output).latest()
    trained = load_weights(last, raw=True)
    assert any(not torch.equal(t, trained[name]) for name, t in load_weights(last).items())


def test_validation_that_stays_worse_stops_the_run(make_config: MakeConfig) -> None:
    config = make_config(
        patience=2,
        validate_every=1,
        schedule={"max_steps": 50},
        optimizer={"lr": 1e-12, "new_lr": 1e-12},
    )
    result = train.main(config)
    assert (result.reason, result.best_step, result.step) == ("patience", 1, 3)
    # What is kept to export is what validated best, not what came last.
    facts = load_facts(RunFolder(config.output).best)
    assert facts["position"]["step"] == 1
    assert facts["metrics"]["score"] == result.best


def test_patience_begins_with_the_last_phase(make_config: MakeConfig) -> None:
    """A stop before quantisation would leave it out."""
    config = make_config(
        patience=2,
        validate_every=1,
        schedule={"max_steps": 20, "quantized_from": 0.5},
        adversarial={"kind": "fgsm", "from_share": 0.25},
        optimizer={"lr": 1e-12, "new_lr": 1e-12},
    )
    assert config.last_phase == 0.5
    result = train.main(config)
    # The first quantised validation is the best of its kind; two more are not better.
    assert (result.reason, result.best_step, result.step) == ("patience", 11, 13)


def test_a_time_budget_ends_the_run_with_its_rate_near_zero(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = count()
    clock = SimpleNamespace(monotonic=lambda: 0.02 * next(looks))  # whatever this machine does
    monkeypatch.setattr(session, "time", clock)
    config = make_config(schedule={"max_steps": 0, "max_minutes": 0.03}, log_every=1)
    result = train.main(config)
    assert result.reason == "finished"
    factors = [r["lr_factor"] for r in _records(config) if r["kind"] == "train"]
    assert factors[-1] < 0.1 < max(factors)


def test_a_run_is_not_overwritten_and_not_made_up(make_config: MakeConfig) -> None:
    config = make_config(schedule={"max_steps": 1})
    with pytest.raises(CheckpointError, match="without --resume"):
        train.main(config, resume=True)
    train.main(config)
    with pytest.raises(CheckpointError, match="--resume"):
        train.main(config)


def test_training_continues_from_another_runs_weights(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    first = make_config(schedule={"max_steps": 4})
    train.main(first)
    second = make_config(
        output=str(tmp_path / "second"),
        init=str(first.output / "best"),
        optimizer={"lr": 1e-12, "new_lr": 1e-12, "weight_decay": 0},
        schedule={"max_steps": 1},
    )
    train.main(second)
    assert _difference(first.output / "best", second.output / "best") < 1e-6


def test_a_full_disk_does_not_end_a_run(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RunFolder, "save_best", full)
    result = train.main(make_config())
    assert result.reason == "finished"
    assert "No space left" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("writer", "name"), [(Reporter, "record"), (RunFolder, "save_step")], ids=["records", "the end"]
)
def test_a_disk_that_stays_full_ends_the_run_with_a_remedy(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, writer: type, name: str
) -> None:
    config = make_config(schedule={"max_steps": 2})
    train.main(config)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    longer = make_config(schedule={"max_steps": 4})
    with monkeypatch.context() as patch:
        patch.setattr(writer, name, full)
        with pytest.raises(CheckpointError, match=r"No space .*make room .*--resume, from step-2$"):
            train.main(longer, resume=True)
    assert train.main(longer, resume=True).step == 4


def test_new_weights_have_their_rate_and_biases_do_not_decay(make_config: MakeConfig) -> None:
    config = make_config(optimizer={"weight_decay": 0.1})
    model = TinyGuardrail(config.network, config.losses)
    groups = train.parameter_groups(model, config.optimizer)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    placed = {names[id(p)]: group for group in groups for p in group["params"]}
    assert len(placed) == len(names)
    for name, parameter in model.named_parameters():
        assert (placed[name]["weight_decay"] > 0) == (parameter.dim() > 1)
    assert placed["fast.head.classify.weight"]["peak"] == config.optimizer.new_lr
    assert placed["embeddings.tokens.weight"]["peak"] == config.optimizer.lr


@pytest.mark.parametrize("decay", ["cosine", "linear"])
def test_the_rate_rises_then_falls_to_zero(decay: Any) -> None:
    by_steps = Schedule(ScheduleConfig(max_steps=100, warmup=0.1, decay=decay), 7.0)
    factors = [by_steps.factor(step, 0.0) for step in range(100)]
    peak = factors.index(max(factors))
    assert 8 <= peak <= 11
    assert 0 < factors[0] < 0.2
    assert factors[:peak] == sorted(factors[:peak])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
    assert 0 < factors[-1] < 0.02

    by_time = Schedule(ScheduleConfig(max_minutes=2, warmup=0.1, decay=decay), 7.0)
    assert by_time.progress(10_000, 60.0) == 0.5
    assert by_time.factor(0, 120.0) == pytest.approx(0.0)
    by_epochs = Schedule(ScheduleConfig(epochs=2.5), 7.0)
    assert by_epochs.total_steps == 18
