"""A moving average of the weights: steadier than the last step, and free at inference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of a model's parameters.

    Args:
        model: Its parameters are followed; the average starts at their present values.
        decay: Of the average once it is warm; it starts quicker, to forget the beginning.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self._model = model
        self._average = [p.detach().clone() for p in model.parameters()]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the model's parameters as they are after `step` steps."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._average, list(self._model.parameters()), 1.0 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model hold the average inside the block."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take the average from a checkpoint's weights."""
        for (name, _), average in zip(self._model.named_parameters(), self._average, strict=True):
            average.copy_(weights[name])

    @torch.no_grad()
    def _swap(self) -> None:
        for parameter, average in zip(self._model.parameters(), self._average, strict=True):
            kept = parameter.detach().clone()
            parameter.copy_(average)
            average.copy_(kept)
