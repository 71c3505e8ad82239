"""A training run on disk: `step-N` folders to resume from, and `best` to export from.

    model.safetensors   the weights to use (their moving average where the run keeps one)
    raw.safetensors     the weights being trained, where the run keeps an average
    optimizer.pt        optimiser, loss scaler and random states; read with weights_only=True
    vocab.txt           the vocabulary, so that the folder can be exported wherever it is
    training.json       configuration, step, metrics, code revision

A folder is written under another name, flushed and renamed: one that has its name is whole.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tinyguardrail_sdk.errors import CheckpointError, InputError
from tinyguardrail_sdk.manifest import hash_of
from tinyguardrail_sdk.training.config import TrainConfig, from_dict
from tinyguardrail_sdk.training.data.corpus import VOCABULARY
from tinyguardrail_sdk.training.data.jsonl import write_json
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.run_files import (
    BEST,
    FACTS,
    MODEL,
    NOTHING_TO_RESUME,
    OPTIMIZER,
    RAW,
    VOCAB,
    step_folders,
    step_name,
)

KEPT = 2

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Snapshot:
    """All that a training checkpoint holds.

    Attributes:
        weights: The weights to use.
        raw: The weights being trained, where they are others.
        optimizer: Tensors and plain values that the loop resumes from; None in `best`.
        facts: Contents of `training.json`.
        vocab: Contents of `vocab.txt`.
    """

    weights: Weights
    raw: Weights | None
    optimizer: dict[str, Any] | None
    facts: dict[str, Any]
    vocab: bytes


class RunFolder:
    """The checkpoints of one run.

    Args:
        root: Folder of the run; made by the first checkpoint.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        for left_over in root.glob(".*.partial"):
            shutil.rmtree(left_over, ignore_errors=True)
        for retired in root.glob(".*.retired"):
            final = root / retired.name[1:].removesuffix(".retired")
            if final.is_dir():
                shutil.rmtree(retired, ignore_errors=True)
            else:  # stopped between two renames
                retired.rename(final)

    @property
    def best(self) -> Path:
        """Folder of the weights that validated best; may not exist yet."""
        return self.root / BEST

    def steps(self) -> list[Path]:
        """Checkpoints to resume from, oldest first."""
        return step_folders(self.root)

    def latest(self) -> Path:
        """The newest checkpoint to resume from.

        Raises:
            CheckpointError: There is none.
        """
        if not (steps := self.steps()):
            raise CheckpointError(f"{self.root}: {NOTHING_TO_RESUME}")
        return steps[-1]

    def save_step(self, step: int, snapshot: Snapshot) -> Path:
        """Write `step-N` and drop all but the last two.

        Raises:
            OSError: It could not be written; what was there is untouched.
        """
        path = self._publish(step_name(step), snapshot)
        for old in self.steps()[:-KEPT]:
            shutil.rmtree(old)
        return path

    def save_best(self, snapshot: Snapshot) -> Path:
        """Replace `best`.

        Raises:
            OSError: It could not be written; what was there is untouched.
        """
        return self._publish(BEST, snapshot)

    @contextmanager
    def remedy(self) -> Iterator[None]:
        """Make a write that fails inside the block end the run with a word on how to go on.

        Raises:
            CheckpointError: A write failed; the message names the last whole checkpoint.
        """
        try:
            yield
        except OSError as error:
            steps = self.steps()
            go_on = f"go on with --resume, from {steps[-1].name}" if steps else "start again"
            raise CheckpointError(
                f"{error.filename or self.root}: could not be written ({error.strerror or error}); "
                f"make room on the disk, then {go_on}"
            ) from error

    def _publish(self, name: str, snapshot: Snapshot) -> Path:
        partial, final = self.root / f".{name}.partial", self.root / name
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            _write(partial, snapshot)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        retired = self.root / f".{name}.retired"
        shutil.rmtree(retired, ignore_errors=True)
        if final.exists():
            final.rename(retired)
        partial.rename(final)
        shutil.rmtree(retired, ignore_errors=True)
        return final


def load_facts(directory: Path) -> dict[str, Any]:
    """Read `training.json` of a checkpoint.

    Raises:
        CheckpointError: It is missing or damaged.
    """
    path = directory / FACTS
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise CheckpointError(
            f"{path}: missing or damaged; give a folder that `tinyguardrail train` wrote "
            "(`best` or `step-N`)"
        ) from None
    return facts


def load_run_config(directory: Path) -> TrainConfig:
    """Read the configuration of a checkpoint; its vocabulary is the one in the folder.

    Older checkpoints hold none: theirs is where it was, and may be gone.

    Raises:
        CheckpointError: `training.json` is missing or damaged.
    """
    values = load_facts(directory)["config"]
    if (held := directory / VOCAB).is_file():
        values = {**values, "data": {**values.get("data", {}), "vocab": str(held)}}
    return from_dict(values)


def stored_config(config: TrainConfig) -> dict[str, Any]:
    """The configuration as `training.json` keeps it: its vocabulary is the file beside it."""
    fields = config.to_dict()
    fields["data"]["vocab"] = VOCAB
    return fields


def trained_vocabulary(facts: Mapping[str, Any]) -> str | None:
    """Beginning of the SHA-256 of the vocabulary that a run was trained with, where stored."""
    digest: str | None = facts.get("inputs", {}).get("train", {}).get(VOCABULARY)
    return digest


def check_vocabulary(directory: Path, path: Path) -> None:
    """Make sure that a file is the vocabulary that a checkpoint was trained with.

    Raises:
        CheckpointError: It is missing or another one; the message says where to put the right one.
    """
    digest = trained_vocabulary(load_facts(directory))
    if not path.is_file():
        wrong = "there is no such file any more"
    elif digest is not None and not hash_of(path).startswith(digest):
        wrong = "this is another vocabulary"
    else:
        return
    raise CheckpointError(
        f"{path}: {wrong}; copy the one that {directory} was trained with to {directory / VOCAB} "
        "(without --vocab, that was the vocab.txt of the checkpoint in the package)"
    )


def load_weights(directory: Path, *, raw: bool = False) -> dict[str, Tensor]:
    """Read the weights to use, or with `raw` those being trained.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    path = directory / (RAW if raw and (directory / RAW).exists() else MODEL)
    try:
        weights: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{path}: missing or damaged ({type(error).__name__}); use another checkpoint"
        ) from None
    return weights


def load_optimizer(directory: Path) -> dict[str, Any]:
    """Read what the loop resumes from; nothing in it is executed.

    Raises:
        CheckpointError: The file is missing or damaged.
    """
    path = directory / OPTIMIZER
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(
            f"{path}: missing or damaged ({type(error).__name__}); use an older step-N"
        ) from None
    return state


def load_into(model: TinyGuardrail, directory: Path, *, raw: bool = False) -> None:
    """Copy the weights of a checkpoint into `model`, in place; `raw` as in `load_weights`.

    Raises:
        CheckpointError: A file is missing, damaged or of another network than it says.
        InputError: The checkpoint is of another network than `model`; the message names what
            differs.
    """
    weights = load_weights(directory, raw=raw)
    ours = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    theirs = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    if ours != theirs:
        stored = load_run_config(directory).network
        changed = [
            f"network.{field.name}={getattr(stored, field.name)}"
            for field in dataclasses.fields(stored)
            if getattr(stored, field.name) != getattr(model.config, field.name)
        ]
        if not changed:
            raise CheckpointError(
                f"{directory / MODEL}: the weights are not of the network in {FACTS}"
            )
        raise InputError(
            f"{directory / MODEL}: the weights are of another network; set {', '.join(changed)}"
        )
    model.load_state_dict(weights)


def load_model(directory: Path) -> tuple[TinyGuardrail, TrainConfig]:
    """Build the network of a checkpoint with its weights, in evaluation mode, on the CPU.

    Raises:
        CheckpointError: A file is missing, damaged or of another network.
    """
    config = load_run_config(directory)
    model = TinyGuardrail(config.network, config.losses)
    load_into(model, directory)
    return model.eval(), config


def code_revision() -> str:
    """Commit of the checkout that this package runs from, marked when changed; else `unknown`."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return described.stdout.strip()


def _write(directory: Path, snapshot: Snapshot) -> None:
    with _as_os_error(directory):
        save_file(_contiguous(snapshot.weights), directory / MODEL)
        if snapshot.raw is not None:
            save_file(_contiguous(snapshot.raw), directory / RAW)
        if snapshot.optimizer is not None:
            torch.save(snapshot.optimizer, directory / OPTIMIZER)
    (directory / VOCAB).write_bytes(snapshot.vocab)
    write_json(directory / FACTS, snapshot.facts)
    for path in directory.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


@contextmanager
def _as_os_error(directory: Path) -> Iterator[None]:
    """Make a failed write the error it is: to safetensors and PyTorch it is one of their own."""
    try:
        yield
    except (SafetensorError, RuntimeError) as error:
        raise OSError(errno.EIO, "the disk is full or failing", str(directory)) from error


def _contiguous(weights: Weights) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
