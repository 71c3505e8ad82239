"""Two processes learn what one does that accumulates their batches."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tinyguardrail_sdk.training import train
from tinyguardrail_sdk.training.checkpoint import load_facts, load_weights
from tinyguardrail_sdk.training.config import TrainConfig

pytestmark = [pytest.mark.train, pytest.mark.slow]

STEPS = 5


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port


# Modules of the launchers, with what starts two processes.
LAUNCHERS = {
    "torchrun": ("torch.distributed.run", "--nproc_per_node", "2", "--master_port"),
    # Its word for several processes of one machine, on CPUs too.
    "accelerate": (
        "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port",
    ),
}  # fmt: skip


def _launch(config: TrainConfig, launcher: str, folder: Path) -> str:
    told = folder / "run.json"
    told.write_text(json.dumps(config.to_dict()), encoding="utf-8")
    words = [
        sys.executable, "-m", *LAUNCHERS[launcher], str(_free_port()),
        "-m", "tinyguardrail_sdk", "train", "--config", str(told),
    ]  # fmt: skip
    root = Path(train.__file__).parents[2]
    # A configuration of the user's own must not decide what is started.
    own = {"ACCELERATE_USE_CPU": "1", "HF_HOME": str(folder)}
    known = {**os.environ, "PYTHONPATH": str(root), **own}
    done = subprocess.run(words, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def _validation(config: TrainConfig) -> dict[str, Any]:
    lines = (config.output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    found: dict[str, Any] = [r for r in map(json.loads, lines) if r["kind"] == "validation"][-1]
    return found


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_learn_what_one_does_from_the_same_pairs_of_batches(
    make_config: Callable[..., TrainConfig], tmp_path: Path, launcher: str
) -> None:
    same: dict[str, Any] = {
        "network": {"dropout": 0.0},
        "schedule": {"max_steps": STEPS},
        "validate_every": STEPS,
    }
    # Process r takes every second batch from the r-th on: step n of both has batches 2n and 2n + 1,
    # which are the two micro-batches of step n here.
    one = make_config(output=str(tmp_path / "one"), optimizer={"accumulation": 2}, **same)
    two = make_config(output=str(tmp_path / "two"), **same)
    train.main(one)
    (told,) = _launch(two, launcher, tmp_path).splitlines()  # by one of the two
    assert json.loads(told)["step"] == STEPS
    facts = load_facts(two.output / f"step-{STEPS}")
    assert (facts["processes"], facts["position"]["batch"]) == (2, STEPS)
    assert load_facts(one.output / f"step-{STEPS}")["position"]["batch"] == 2 * STEPS
    alone, together = (load_weights(c.output / f"step-{STEPS}") for c in (one, two))
    for name, weights in alone.items():
        torch.testing.assert_close(together[name], weights, rtol=1e-4, atol=1e-4)
    for branch in ("fast", "deep"):
        losses = [_validation(config)[branch]["loss"] for config in (one, two)]
        assert losses[0] == pytest.approx(losses[1], abs=1e-4)
