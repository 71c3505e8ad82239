"""A teacher's answers to every window of a corpus, given once and kept beside it.

They are a file in the corpus' folder, flat float32, that is memory-mapped like the corpus itself.
It is written chunk after chunk under another name: one that was interrupted goes on, and one that
has its name is whole. The loop then needs no teacher, and a resumed run goes on with the very
numbers that it began with.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from tinyguardrail_sdk.errors import CheckpointError
from tinyguardrail_sdk.labels import LABELS
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.counting import counting
from tinyguardrail_sdk.training.data.claimed import claimed
from tinyguardrail_sdk.training.data.corpora import train_recipe
from tinyguardrail_sdk.training.data.corpus import Corpus, corpus_folder
from tinyguardrail_sdk.training.teachers import CHUNK, Teacher, open_teacher

_NUMBER: Final = np.dtype("<f4")
_CHUNK_BYTES: Final = CHUNK * len(LABELS) * _NUMBER.itemsize


def taught(
    corpus: Corpus, config: TrainConfig, resumed: Mapping[str, Any], device: torch.device | str
) -> Corpus:
    """The corpus with the answers of the run's teacher; as it is where the run has none.

    Args:
        corpus: Windows for training.
        config: The run.
        resumed: `training.json` of the checkpoint that is resumed; empty for a new run.
        device: Where the teacher computes.

    Raises:
        InputError: The teacher does not fit the run, nothing is to be had under its name, or
            another command is writing its answers there.
        CheckpointError: The teacher is not the one that a resumed run began with, or the windows
            cannot be made again for it to read.
    """
    if not config.distillation.teacher:
        return corpus
    folder = corpus_folder(config.cache, corpus.fingerprint)
    fingerprint: str = resumed.get("teacher", "")
    if not fingerprint or not _path(folder, fingerprint).is_file():
        # What the teacher draws while it is built must not move what the student draws.
        with torch.random.fork_rng(devices=[]):
            teacher = open_teacher(config, device)
        if fingerprint not in ("", teacher.fingerprint):
            raise CheckpointError(
                f"distillation.teacher={config.distillation.teacher}: is not the one that this "
                "run began with; put that back, or start a new run with --init"
            )
        fingerprint = teacher.fingerprint
        _complete(_path(folder, fingerprint), teacher, corpus, config)
    shape = (len(corpus.rows), len(LABELS))
    logits = np.memmap(_path(folder, fingerprint), _NUMBER, mode="r", shape=shape)
    return dataclasses.replace(corpus, teacher=fingerprint, teacher_logits=logits)


def _path(folder: Path, fingerprint: str) -> Path:
    return folder / f"teacher-{fingerprint[:16]}.bin"


def _complete(path: Path, teacher: Teacher, corpus: Corpus, config: TrainConfig) -> None:
    """Write the answers that are not there yet, while no other command does."""
    if path.is_file():
        return
    with claimed(path.parent, "data.cache"):
        if not path.is_file():  # of a command that has just ended
            _write_rest(path, teacher, corpus, config)


def _write_rest(path: Path, teacher: Teacher, corpus: Corpus, config: TrainConfig) -> None:
    if train_recipe(config).fingerprint() != corpus.fingerprint:
        raise CheckpointError(
            f"{path}: the teacher's answers are gone, and data or code have changed since: put "
            "the file back, or start a new run with --init"
        )
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("ab") as file, counting("teacher") as count:
        whole = file.tell() // _CHUNK_BYTES
        file.truncate(whole * _CHUNK_BYTES)
        done = whole * CHUNK
        for logits in teacher.answers(corpus, done):
            file.write(logits.astype(_NUMBER).tobytes())
            file.flush()
            done += len(logits)
            count(done, len(corpus.rows))
    partial.rename(path)
