"""How far a run is, and the learning rate that goes with it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from tinyguardrail_sdk.training.config import ScheduleConfig


@dataclass(frozen=True)
class Schedule:
    """The length of a run in steps, or in minutes where the configuration sets a budget.

    Args:
        config: Length and shape.
        steps_per_epoch: Optimiser steps of one pass over the data.
    """

    config: ScheduleConfig
    steps_per_epoch: float

    @property
    def total_steps(self) -> int:
        """Planned steps; only a guess where the length is a time."""
        return self.config.max_steps or math.ceil(self.config.epochs * self.steps_per_epoch)

    def progress(self, step: int, elapsed: float) -> float:
        """Share done after `step` steps and `elapsed` seconds, 1.0 at the end."""
        if self.config.max_minutes:
            return min(1.0, elapsed / (60.0 * self.config.max_minutes))
        return min(1.0, step / self.total_steps)

    def factor(self, step: int, elapsed: float) -> float:
        """Multiplier of the peak rate for the step that follows `step` steps."""
        done = self.progress(step, elapsed)
        if not self.config.max_minutes:
            done = (step + 1) / (self.total_steps + 1)  # neither the first nor the last is 0
        warmup = self.config.warmup
        if done < warmup:
            return done / warmup
        left = (1.0 - done) / (1.0 - warmup)
        if self.config.decay == "linear":
            return left
        return 0.5 * (1.0 - math.cos(math.pi * left))


def drawn(share: float, *keys: object) -> bool:
    """Whether a thing that befalls a `share` of all things befalls the one with these keys.

    Nothing but the keys decides: all processes agree, and so does a resumed run.
    """
    return random.Random(":".join(map(str, keys))).random() < share
