"""What can be wrong with a command line, found before the seconds that its libraries take to load.

A function here has the name of its command and runs before it; nothing in this file or below it
imports PyTorch.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import CheckpointError, InputError
from tinyguardrail_sdk.training.bases import find_base
from tinyguardrail_sdk.training.config import TrainConfig, load_config
from tinyguardrail_sdk.training.data.generate import GenerateConfig
from tinyguardrail_sdk.training.data.jsonl import read_lines
from tinyguardrail_sdk.training.data.labelled import labelled_rows
from tinyguardrail_sdk.training.data.pools import pool_rows
from tinyguardrail_sdk.training.inputs import (
    Reader,
    data_file,
    first_rows,
    look_at,
    stored_files,
    weights,
)
from tinyguardrail_sdk.training.mutate import chosen_mutations
from tinyguardrail_sdk.training.pipeline.config import PipelineConfig, load_pipeline
from tinyguardrail_sdk.training.rows import refuse_no_class
from tinyguardrail_sdk.training.run_files import BEST, NOTHING_TO_RESUME, step_folders
from tinyguardrail_sdk.training.targets import Targets

# What `data generate` and `data split` write.
_PARTS = ("train.jsonl.gz", "validation.jsonl.gz", "test.jsonl.gz", "data.json")

# What the rows of a pipeline's own files are read with, by field.
_READERS: dict[str, Reader] = {
    "inputs": labelled_rows, "pools": pool_rows, "against": read_lines,
}  # fmt: skip

# Flag -> field of the configuration.
_FLAGS = {
    "train": "data.train", "validation": "data.validation", "vocab": "data.vocab",
    "output": "output", "init": "init", "seed": "seed", "threads": "threads",
    "max_minutes": "schedule.max_minutes", "max_steps": "schedule.max_steps",
    "epochs": "schedule.epochs",
}  # fmt: skip


def generate(arguments: argparse.Namespace) -> None:
    """Refuse settings that make no sense, and to write over the data of another run."""
    generate_config(arguments)
    _refuse_overwriting(arguments)


def split(arguments: argparse.Namespace) -> None:
    """Refuse to write over other data, or among what is read."""
    if arguments.output.resolve() in [path.resolve() for path in arguments.pool]:
        raise InputError(
            f"--output: {arguments.output}: is a --pool too, and its parts would be read with it "
            "from then on; give another folder"
        )
    _refuse_overwriting(arguments)


def fetch(arguments: argparse.Namespace) -> None:
    """Refuse to fetch into nowhere."""
    if arguments.output is None and not arguments.list:
        raise InputError("--output is missing: the folder to write to")


def train(arguments: argparse.Namespace) -> None:
    """Read the configuration, and look for the files and the base that it names."""
    config = load_config(arguments.config, train_overrides(arguments))
    if arguments.fields:
        return
    begun = bool(step_folders(config.output))
    if arguments.resume:
        if not begun:
            raise CheckpointError(f"{config.output}: {NOTHING_TO_RESUME}")
        return  # its files are those of the run; `resuming` says what is wrong with them
    if begun:
        raise CheckpointError(
            f"{config.output}: holds a run; go on with --resume, or give another --output"
        )
    _train_files(config)
    find_base(config.init)


def pipeline(arguments: argparse.Namespace) -> None:
    """Read the configuration, and look for the files that it names."""
    config = pipeline_config(arguments)
    for name, read in _READERS.items():
        for path in getattr(config.data, name):
            look_at(path, f"data.{name}", partial(first_rows, read=read))


def pipeline_config(arguments: argparse.Namespace) -> PipelineConfig:
    """The configuration of a pipeline: preset, file, flags and words.

    Raises:
        InputError: A field makes no sense; the message names it and the fix.
    """
    chosen = {} if arguments.output is None else {"output": str(arguments.output)}
    return load_pipeline(arguments.preset, arguments.config, arguments.set, chosen)


def average(arguments: argparse.Namespace) -> None:
    """Refuse a mean of one, a share that is none, and to write over a run."""
    first, *others = arguments.paths
    if not others:
        raise InputError("CHECKPOINT: give two or more: of one alone there is no mean")
    look_at(first, "the first CHECKPOINT", weights)
    if arguments.share is not None and not 0 < arguments.share < 1:
        raise InputError("--share must be between 0 and 1, such as 0.75")
    if (arguments.output / BEST).exists() or step_folders(arguments.output):
        raise InputError(f"--output: {arguments.output}: holds a run; give another folder")


def calibrate(arguments: argparse.Namespace) -> None:
    """Refuse targets that make no sense, and both or neither kind of texts."""
    calibration_targets(arguments)
    if bool(arguments.validation) == bool(arguments.benign):
        raise InputError("give either --validation (fits everything) or --benign (thresholds)")


def export(arguments: argparse.Namespace) -> None:
    """Refuse a permission for what is not asked."""
    if arguments.allow_worse and not arguments.release:
        raise InputError("--allow-worse goes with --release")


def evaluate(arguments: argparse.Namespace) -> None:
    """Refuse texts of which none is of a class."""
    refuse_no_class(_labels(arguments.paths))


def report(arguments: argparse.Namespace) -> None:
    """Refuse a checkpoint without texts, and texts of which none is of a class."""
    if arguments.checkpoint and not arguments.data:
        raise InputError("--checkpoint is scored on texts: give --data too")
    refuse_no_class(_labels(arguments.data or ()))


def mutate(arguments: argparse.Namespace) -> None:
    """Refuse unknown mutations."""
    chosen_mutations(arguments.mutation)


def robustness(arguments: argparse.Namespace) -> None:
    """Refuse unknown mutations."""
    chosen_mutations(arguments.mutation, heldout=True)


def train_overrides(arguments: argparse.Namespace) -> list[str]:
    """The flags of `train`, and what --set says, as `field=value`."""
    flags = [
        f"{field}={json.dumps(value, default=str)}"
        for flag, field in _FLAGS.items()
        if (value := getattr(arguments, flag)) is not None
    ]
    return flags + list(arguments.set)


def generate_config(arguments: argparse.Namespace) -> GenerateConfig:
    """What `data generate` is told to make.

    Raises:
        InputError: A number makes no sense.
    """
    chosen: dict[str, Any] = {"seed": arguments.seed, "pools": tuple(arguments.pool)}
    if arguments.total is not None:
        chosen["total"] = arguments.total
    if arguments.terms:
        chosen["terms"] = frozenset(arguments.terms)
    try:
        return GenerateConfig(**chosen)
    except ValueError as error:
        raise InputError(str(error)) from None


def calibration_targets(arguments: argparse.Namespace) -> Targets:
    """What `calibrate` is told to aim at.

    Raises:
        InputError: A share makes no sense.
    """
    chosen: dict[str, Any] = {
        name: value
        for name in ("fast_share", "most_escalated")
        if (value := getattr(arguments, name)) is not None
    }
    false_alarms = Targets.for_rate(arguments.target_fpr).false_alarms
    chosen["false_alarms"] = {**false_alarms, **dict(arguments.target)}
    chosen["floors"] = {**Targets().floors, **dict(arguments.floor)}
    return Targets(**chosen)


def _refuse_overwriting(arguments: argparse.Namespace) -> None:
    present = [name for name in _PARTS if (arguments.output / name).exists()]
    if present and not arguments.overwrite:
        raise InputError(
            f"--output: {arguments.output}: holds {', '.join(present)} already; give another "
            "folder, or write over them with --overwrite"
        )


def _labels(paths: Sequence[Path]) -> Iterator[str]:
    for file in stored_files(paths):
        yield from (row["label"] for _, row in read_lines(file))


def _train_files(config: TrainConfig) -> None:
    for name, paths in (("train", config.data.train), ("validation", config.data.validation)):
        if not paths:
            raise InputError(
                f"--{name} is missing: labelled texts, such as `tinyguardrail data generate` makes"
            )
        for path in paths:
            look_at(path, f"--{name}", data_file)
    if not config.data.vocab.is_file():
        raise InputError(f"--vocab: {config.data.vocab}: no such file; leave it out for the usual")
