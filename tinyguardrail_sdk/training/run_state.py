"""What a run is made of: where it is, what it learns from, what learns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import nn

from tinyguardrail_sdk.training.adversarial import Adversary
from tinyguardrail_sdk.training.checkpoint import RunFolder
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.data.batches import BatchStream
from tinyguardrail_sdk.training.data.corpus import Corpus
from tinyguardrail_sdk.training.moving_average import WeightAverage
from tinyguardrail_sdk.training.mutation_stream import MutationStream
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.reporter import Reporter


@dataclass
class Position:
    """Where a run is; what a checkpoint stores of it.

    Attributes:
        step: Optimiser steps done.
        epoch: Epoch of the batch stream.
        batch: Batches taken from that epoch.
        elapsed: Seconds in the loop, over all sessions.
        best: Best validation score so far.
        best_step: Step that reached it.
        worse: Validations since then.
        quantized: Whether the network computes as its INT8 export.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    elapsed: float = 0.0
    best: float = -1.0
    best_step: int = 0
    worse: int = 0
    quantized: bool = False


@dataclass(frozen=True)
class Start:
    """Where a run begins or goes on.

    Attributes:
        config: The run.
        accelerator: Of the run.
        folder: The run folder.
        resumed: The checkpoint that it goes on from; None for a new run.
        facts: `training.json` of that checkpoint; empty for a new run.
        position: That of the checkpoint; moves with the run.
        reporter: Takes lines and records.
    """

    config: TrainConfig
    accelerator: Accelerator
    folder: RunFolder
    resumed: Path | None
    facts: dict[str, Any]
    position: Position
    reporter: Reporter


@dataclass(frozen=True)
class Data:
    """What a run learns from and is judged on.

    Attributes:
        learned: Windows for training.
        held_out: Windows for model choice.
        texts: Texts of `held_out` that are scored at each validation.
        limits: Budget of tokens and most rows of a batch.
        stream: Batches of `learned`.
        mutants: Batches of mutated texts; None without.
        steps_per_epoch: Optimiser steps to one pass.
    """

    learned: Corpus
    held_out: Corpus
    texts: NDArray[np.int64]
    limits: dict[str, int]
    stream: BatchStream
    mutants: MutationStream | None
    steps_per_epoch: float


@dataclass(frozen=True)
class Learner:
    """What learns.

    Attributes:
        core: The network.
        model: The same, as the loop calls it, wrapped or not.
        optimizer: Of its weights.
        average: Of its weights over the steps; None without.
        adversary: Learns from shifted batches, where that is asked for.
    """

    core: TinyGuardrail
    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: WeightAverage | None
    adversary: Adversary
