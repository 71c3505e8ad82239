"""Mutated training texts, the worst for the network as it is now, mixed into the batches.

Every `refresh` steps some training texts are drawn, each is mutated a few ways, the variants are
scored with the current weights, and of each text the worst is kept (the best reply of an attacker
with so many tries). The hardest of those make a small corpus in memory, read again and again
until the next refresh. A checkpoint holds that corpus as it is: a resumed run need not find it
again, and could not, for the weights that chose it are gone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from numpy.typing import NDArray

from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.data.batches import Batch, BatchStream
from tinyguardrail_sdk.training.data.corpora import train_recipe
from tinyguardrail_sdk.training.data.corpus import FILES, Corpus, pack
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.stored import StoredRows
from tinyguardrail_sdk.training.mutate import draw_mutants
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.schedule import drawn
from tinyguardrail_sdk.training.scores import softmax
from tinyguardrail_sdk.training.validation import window_answers


class MutationStream(Iterator[Batch]):
    """Endless batches of the mutants of the last refresh.

    Args:
        config: The run.
        examples: Texts in the training files.
        accelerator: Of the run; processes agree on the mutants and share their batches.
        limits: Budget of tokens and most rows of a batch.
    """

    def __init__(
        self,
        config: TrainConfig,
        examples: int,
        accelerator: Accelerator,
        limits: Mapping[str, int],
    ) -> None:
        self._config, self._seed = config.mutation, config.seed
        self._recipe = train_recipe(config)
        self._extractor = self._recipe.extractor()
        self._examples = examples
        self._cache = config.cache
        self._accelerator = accelerator
        self._limits = limits
        self._round = -1
        self._corpus: Corpus | None = None

    def due(self, number: int, progress: float) -> bool:
        """Whether micro-batch `number` of the run is one of mutants."""
        return progress >= self._config.from_share and drawn(
            self._config.share, self._seed, "mutation", number
        )

    def refresh(self, core: TinyGuardrail, step: int, progress: float) -> dict[str, Any] | None:
        """Choose new mutants with the weights after `step` steps, where it is time to.

        Returns:
            A record of the choice; None where the old mutants stay.
        """
        number = step // self._config.refresh
        if number == self._round or progress < self._config.from_share:
            return None
        parents, mutants = self._mutants(number)
        corpus = Corpus.of(pack(self._extractor, mutants, self._recipe.rules, self._seed))
        losses = self._losses(core, corpus)
        kept = hardest(losses, parents, self._config.keep)
        self._feed(number, corpus.select(kept))
        return {
            "kind": "mutation",
            "step": step + 1,  # the first that learns from them
            "variants": len(mutants),
            "kept": len(kept),
            "loss": float(losses.mean()),
            "kept_loss": float(losses[kept].mean()),
        }

    def __next__(self) -> Batch:
        """The next batch of mutants."""
        return next(self._stream)

    def state(self) -> dict[str, Any]:
        """Plain values and tensors from which `load` goes on."""
        if self._corpus is None:
            return {}
        arrays = {
            name: torch.frombuffer(
                bytearray(getattr(self._corpus, name).tobytes()), dtype=torch.uint8
            )
            for name in FILES
        }
        place = {"epoch": self._stream.epoch, "batch": self._stream.position}
        return {"round": self._round, **place, "corpus": arrays}

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave."""
        if not state:
            return
        arrays = {
            name: np.frombuffer(state["corpus"][name].numpy().tobytes(), dtype)
            for name, dtype in FILES.items()
        }
        self._feed(state["round"], Corpus.of(arrays))
        self._stream.seek(state["epoch"], state["batch"])

    @cached_property
    def _rows(self) -> StoredRows:
        return StoredRows(self._recipe.files, self._cache)

    def _mutants(self, number: int) -> tuple[NDArray[np.int64], list[Example]]:
        """The variants of the texts drawn in a round, and which text each is of."""
        rng = np.random.default_rng((self._seed, number))
        count = min(self._config.texts, self._examples)
        texts = np.sort(rng.choice(self._examples, count, replace=False)).tolist()
        parents, mutants = [], []
        for text, example in zip(texts, self._rows.at(texts), strict=True):
            own = random.Random(f"{self._seed}:{number}:{text}")
            for mutant in draw_mutants(example, self._config.variants, own):
                parents.append(text)
                mutants.append(mutant)
        return np.array(parents, np.int64), mutants

    def _losses(self, core: TinyGuardrail, corpus: Corpus) -> NDArray[np.float64]:
        """(texts,) loss of each text's worst window, the mean of both branches."""
        device = self._accelerator.device
        rows = np.arange(len(corpus.rows))
        answers, _ = window_answers(core, corpus, rows, device=device, **self._limits)
        labels = corpus.rows["label"].astype(np.int64)
        truth = [softmax(logits)[rows, labels] for logits in (answers[:, :4], answers[:, 4:8])]
        of_windows = -np.log(np.clip(truth, 1e-12, 1.0)).mean(0)
        losses = np.zeros(len(corpus.examples))
        np.maximum.at(losses, corpus.rows["example"], of_windows)
        # Processes that differ in the last bit would choose differently: the first one decides.
        agreed = broadcast(torch.tensor(losses, dtype=torch.float32, device=device))
        return agreed.cpu().numpy().astype(np.float64)  # type: ignore[no-any-return]

    def _feed(self, number: int, corpus: Corpus) -> None:
        self._round, self._corpus = number, corpus
        self._stream = BatchStream(
            corpus,
            seed=self._seed + number,
            rank=self._accelerator.process_index,
            world=self._accelerator.num_processes,
            **self._limits,
        )


def hardest(
    losses: NDArray[np.float64], parents: NDArray[np.int64], keep: float
) -> NDArray[np.int64]:
    """Of each parent the variant of highest loss; of those, the hardest share, at least one.

    Args:
        losses: (variants,).
        parents: (variants,) text that each is a variant of.
        keep: Share of the parents.

    Returns:
        Ascending indices of variants.
    """
    order = np.lexsort((-losses, parents))
    _, first = np.unique(parents[order], return_index=True)
    worst = order[first]
    count = max(1, round(keep * len(worst)))
    return np.sort(worst[np.argsort(-losses[worst], kind="stable")[:count]])
