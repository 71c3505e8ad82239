"""Length-bucketed batches under a token budget, in an order that depends on (seed, epoch) only.

The order of an epoch is planned at once from the lengths; a position in the stream is two
numbers, so a run resumes at the very batch where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tinyguardrail_sdk.training.data.corpus import Corpus

Plan = list[NDArray[np.int64]]

# Rows that are sorted by length together. Larger wastes less padding, smaller mixes better.
_BUCKET_BATCHES = 64
# Batches come in few shapes, since CPU kernels are compiled anew for each: a fresh one costs ten
# times its product. Padding to these steps costs a few per cent.
_TOKEN_STEP, _CHAR_STEP = 16, 4


@dataclass(frozen=True)
class Batch:
    """Windows padded to about the longest of them, ready for the network.

    Attributes:
        input_ids: (B, T) int64.
        attention_mask: (B, T) bool.
        char_ids: (B, T, C) int64.
        pattern_scores: (B, patterns) float32.
        segment_ids: (B,) int64.
        labels: (B,) int64.
        examples: (B,) int64, the text that each window is from.
        teacher_logits: (B, labels) float32, what a teacher answers; None without one.
    """

    input_ids: Tensor
    attention_mask: Tensor
    char_ids: Tensor
    pattern_scores: Tensor
    segment_ids: Tensor
    labels: Tensor
    examples: Tensor
    teacher_logits: Tensor | None = None

    def inputs(self, device: torch.device | str) -> dict[str, Tensor]:
        """The network's arguments, labels left out, on a device."""
        names = ("input_ids", "attention_mask", "char_ids", "pattern_scores", "segment_ids")
        return {name: getattr(self, name).to(device, non_blocking=True) for name in names}

    def targets(self, device: torch.device | str) -> dict[str, Tensor]:
        """What the network's answers are held against, on a device."""
        targets = {"labels": self.labels, "teacher_logits": self.teacher_logits}
        return {
            name: values.to(device, non_blocking=True)
            for name, values in targets.items()
            if values is not None
        }

    @property
    def tokens(self) -> int:
        """Real tokens, padding not counted."""
        return int(self.attention_mask.sum())


def plan_batches(
    lengths: NDArray[np.int64],
    *,
    tokens: int,
    max_rows: int,
    order: tuple[int, int] | None = None,
) -> Plan:
    """Cut rows into batches of similar length.

    Args:
        lengths: (rows,) tokens of each row.
        tokens: Budget of a batch, padding included.
        max_rows: Most rows in a batch.
        order: (seed, epoch) of the shuffling; None sorts all rows, longest first.

    Returns:
        Row indices per batch; every row stands in exactly one.
    """
    if order is None:
        return _cut(np.argsort(-lengths, kind="stable"), lengths, tokens, max_rows)
    rng = np.random.default_rng(order)
    rows = rng.permutation(len(lengths))
    size = _BUCKET_BATCHES * max_rows
    plan: Plan = []
    for first in range(0, len(rows), size):
        bucket = rows[first : first + size]
        by_length = bucket[np.argsort(-lengths[bucket], kind="stable")]
        plan += _cut(by_length, lengths, tokens, max_rows)
    return [plan[index] for index in rng.permutation(len(plan))]


def collate(corpus: Corpus, indices: NDArray[np.int64]) -> Batch:
    """Gather windows into one padded batch, no larger than the corpus' largest window."""
    rows = corpus.rows[indices]
    longest = _stepped(int(rows["length"].max()), _TOKEN_STEP, corpus.largest[0])
    widest = _stepped(int(rows["width"].max()), _CHAR_STEP, corpus.largest[1])
    token_ids = np.zeros((len(rows), longest), np.int64)
    char_ids = np.zeros((len(rows), longest, widest), np.int64)
    for place, row in enumerate(rows):
        length, width = int(row["length"]), int(row["width"])
        first, chars = int(row["tokens"]), int(row["chars"])
        token_ids[place, :length] = corpus.tokens[first : first + length]
        flat = corpus.chars[chars : chars + length * width]
        char_ids[place, :length, :width] = flat.reshape(length, width)
    mask = np.arange(longest) < rows["length"][:, None]
    teacher = corpus.teacher_logits
    return Batch(
        input_ids=torch.from_numpy(token_ids),
        attention_mask=torch.from_numpy(mask),
        char_ids=torch.from_numpy(char_ids),
        pattern_scores=torch.from_numpy(np.array(rows["patterns"], np.float32, order="C")),
        segment_ids=_long(rows["segment"]),
        labels=_long(rows["label"]),
        examples=_long(rows["example"]),
        teacher_logits=None if teacher is None else torch.from_numpy(np.array(teacher[indices])),
    )


class BatchStream(Iterator[Batch]):
    """Endless batches, epoch after epoch; each of `world` processes takes every world-th one.

    Args:
        corpus: Where the windows are.
        seed: Of the shuffling.
        tokens: Budget of a batch.
        max_rows: Most rows in a batch.
        rank: Number of this process.
        world: Number of processes.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        seed: int,
        tokens: int,
        max_rows: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._corpus = corpus
        self._limits = {"tokens": tokens, "max_rows": max_rows}
        self._seed, self._rank, self._world = seed, rank, world
        self.seek(0, 0)

    def seek(self, epoch: int, position: int) -> None:
        """Continue after `position` batches of an epoch."""
        self.epoch, self.position = epoch, position
        plan = plan_batches(self._corpus.lengths, order=(self._seed, epoch), **self._limits)
        # All processes take equally many, else one would wait for a batch that never comes; a
        # corpus smaller than the processes is seen by all.
        even = len(plan) // self._world * self._world
        self._plan = plan[:even][self._rank :: self._world] or plan

    def __next__(self) -> Batch:
        """The next batch."""
        if self.position == len(self._plan):
            self.seek(self.epoch + 1, 0)
        self.position += 1
        return collate(self._corpus, self._plan[self.position - 1])

    @property
    def batches_per_epoch(self) -> int:
        """Batches of the current epoch for this process."""
        return len(self._plan)

    @property
    def finished_epochs(self) -> int:
        """Epochs whose every batch has been taken."""
        return self.epoch + (self.position == len(self._plan))


def _cut(order: NDArray[Any], lengths: NDArray[np.int64], tokens: int, max_rows: int) -> Plan:
    """Cut rows, longest first, so that the first of a batch tells how many fit."""
    plan: Plan = []
    first, most = 0, int(lengths.max(initial=0))
    while first < len(order):
        longest = _stepped(int(lengths[order[first]]), _TOKEN_STEP, most)
        fit = max(1, min(max_rows, tokens // longest))
        plan.append(order[first : first + fit])
        first += fit
    return plan


def _stepped(size: int, step: int, most: int) -> int:
    return min(-(-size // step) * step, most)


def _long(values: NDArray[Any]) -> Tensor:
    return torch.from_numpy(values.astype(np.int64))
