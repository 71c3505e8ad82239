"""The mean of the weights of several checkpoints, as a run to export or to go on from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, hash_of, read_manifest
from tinyguardrail_sdk.training.checkpoint import (
    RunFolder,
    Snapshot,
    check_vocabulary,
    code_revision,
    load_facts,
    load_into,
    load_model,
    load_run_config,
    stored_config,
)
from tinyguardrail_sdk.training.config import TrainConfig, from_dict
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.progress import Progress
from tinyguardrail_sdk.training.restore import restore
from tinyguardrail_sdk.training.run_files import AVERAGED, FACTS, VOCAB
from tinyguardrail_sdk.version import __version__

SHIPPED = Path("shipped")
_NOT_SHAPE = {"dropout"}  # fields of the network in which weights of one mean may differ


def average(
    paths: Sequence[Path],
    output: Path,
    share: float | None = None,
    progress: Progress = lambda *_: None,
) -> dict[str, Any]:
    """Write the mean of the weights of checkpoints as `best` of a run.

    The run has the configuration and history of the first checkpoint, without its metrics, which
    are not those of the mean.

    Args:
        paths: Two checkpoints or more, of one network and vocabulary. The first is a training
            checkpoint (`best`, `step-N`); the others may be INT8 checkpoints, or `shipped`.
        output: Folder of the run.
        share: Of the first, between 0 and 1; the others share the rest alike. None for all alike.
        progress: Called with checkpoints read and checkpoints in all.

    Returns:
        `folder`, and `averaged`: each checkpoint with its share.

    Raises:
        CheckpointError: A checkpoint is damaged or no checkpoint.
        InputError: One is of another network or vocabulary; the message names what differs.
    """
    first, *others = paths
    model, config = load_model(first)
    check_vocabulary(first, config.data.vocab)
    own = 1 / len(paths) if share is None else share
    names, shares = [_name(first)], [own, *[(1 - own) / len(others)] * len(others)]
    total = _scaled(model.state_dict(), own)
    progress(1, len(paths))
    for done, (path, part) in enumerate(zip(others, shares[1:], strict=True), 2):
        names.append(_load(model, config, path))
        for key, tensor in _scaled(model.state_dict(), part).items():
            if tensor.is_floating_point():
                total[key] += tensor
        progress(done, len(paths))
    averaged = [{"from": name, "share": part} for name, part in zip(names, shares, strict=True)]
    facts = load_facts(first) | {
        "version": __version__,
        "code": code_revision(),
        "config": stored_config(config),
        "metrics": {},
        AVERAGED: averaged,
    }
    vocabulary = config.data.vocab.read_bytes()
    folder = RunFolder(output).save_best(Snapshot(total, None, None, facts, vocabulary))
    return {"folder": str(folder), AVERAGED: averaged}


def _scaled(weights: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """Copies of the weights, the real ones times `share`."""
    return {
        key: tensor * share if tensor.is_floating_point() else tensor.clone()
        for key, tensor in weights.items()
    }


def _load(model: TinyGuardrail, config: TrainConfig, path: Path) -> str:
    """Copy the weights of a checkpoint of the same kind into `model`; returns what it is called."""
    path = DEFAULT_CHECKPOINT if path == SHIPPED else path
    trained = (path / FACTS).is_file()
    if trained:
        theirs = load_run_config(path)
        vocabulary = theirs.data.vocab
        check_vocabulary(path, vocabulary)
    else:
        theirs = from_dict(read_manifest(path).training.get("config", {}))
        vocabulary = path / VOCAB
    _check_same(config, theirs, path)
    if hash_of(vocabulary) != hash_of(config.data.vocab):
        raise InputError(
            f"{path}: was trained with another vocabulary than the first checkpoint; "
            "their token tables have no mean"
        )
    if not trained:
        return restore(model, path)
    load_into(model, path)
    return _name(path)


def _check_same(config: TrainConfig, theirs: TrainConfig, path: Path) -> None:
    """Refuse another network: also one that would fit once it is cut down."""
    different = [
        f"network.{field.name} is {found}, not {wanted}"
        for field in dataclasses.fields(config.network)
        if field.name not in _NOT_SHAPE
        and (wanted := getattr(config.network, field.name))
        != (found := getattr(theirs.network, field.name))
    ]
    if different:
        raise InputError(
            f"{path}: is of another network than the first checkpoint ({', '.join(different)}); "
            "only weights of one network have a mean"
        )


def _name(path: Path) -> str:
    """Run and checkpoint, without where they lie."""
    return "/".join(path.resolve().parts[-2:])
