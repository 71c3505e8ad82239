"""Keeps of a training set what a checkpoint does not know yet, and a share of what it does.

Going on from a trained checkpoint, most texts teach it nothing any more. Scoring a text costs a
hundredth of training on it, so a large set is generated, scored, and thinned to its hard part.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.labels import LABELS
from tinyguardrail_sdk.training.data.schema import Example


@dataclass(frozen=True)
class MineConfig:
    """What is kept.

    Attributes:
        sure: A text whose true label gets at least this probability is known.
        keep_known: Share of the known texts that stays, so that they are not unlearnt.
        seed: Of the choice among them.
    """

    sure: float = 0.95
    keep_known: float = 0.25
    seed: int = 7

    def __post_init__(self) -> None:
        if not (0 < self.sure <= 1 and 0 <= self.keep_known <= 1):
            raise ValueError("sure must be in (0, 1] and keep_known in [0, 1]")


def mine(
    examples: Sequence[Example], scores: NDArray[np.float64], config: MineConfig
) -> list[Example]:
    """Thin a training set.

    Args:
        examples: The set.
        scores: (examples, labels) probabilities that the checkpoint gives.
        config: What is kept.

    Returns:
        The kept examples in their order.
    """
    labels = np.array([LABELS.index(example.label) for example in examples], np.int64)
    known = scores[np.arange(len(labels)), labels] >= config.sure
    rng = random.Random(config.seed)
    return [
        example
        for example, easy in zip(examples, known, strict=True)
        if not easy or rng.random() < config.keep_known
    ]
