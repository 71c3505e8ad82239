"""Adversarial training on the embedded text: small shifts that hurt most are learned from.

- A token may move by `epsilon` of its own length, in any direction (an L2 ball a token). Relative,
  so that the network cannot escape by growing its embeddings, the reason for which Miyato et al.
  (2017, arXiv:1605.07725) normalise theirs; a token and not a text, so that a long text does not
  save up its budget for moving one word onto another. L2 and not L-infinity: no axis of an
  embedding means anything by itself.
- `fgsm` is one step along the gradient (Goodfellow et al. 2015, in the L2 form of Miyato et al.);
  `pgd` goes several, each projected back into the ball, from a random start (Madry et al. 2018).
- The search sees the network as it ships, without dropout, and asks autograd for the gradient of
  the shift alone: parameters and their gradients are as before.
- Every random draw follows from seed, process and number of the micro-batch, so a resumed run
  draws the same.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tinyguardrail_sdk.training.data.batches import Batch, collate, plan_batches
from tinyguardrail_sdk.training.data.corpus import Corpus
from tinyguardrail_sdk.training.hardening import AdversarialConfig, Kind
from tinyguardrail_sdk.training.network.model import TinyGuardrail, evaluating
from tinyguardrail_sdk.training.schedule import drawn

# Keeps the gradients of texts that are judged well above the smallest FP16 number.
_GRADIENT_SCALE = 256.0
_SEEDS = 2**63


class Adversary:
    """Learns from shifted batches, where the configuration asks for it.

    Args:
        config: What to do.
        accelerator: Of the run.
        model: The network as the loop calls it, wrapped or not.
        core: The same network, not wrapped.
        seed: Of the run.
    """

    def __init__(
        self,
        config: AdversarialConfig,
        accelerator: Accelerator,
        model: nn.Module,
        core: TinyGuardrail,
        seed: int,
    ) -> None:
        self._config = config
        self._accelerator = accelerator
        self._model, self._core = model, core
        self._seed = seed

    def learn(self, batch: Batch, number: int, progress: float) -> Tensor | None:
        """Add the gradients of a micro-batch's shifted copy to those of the batch.

        Args:
            batch: The micro-batch.
            number: How many came before it; decides with the seed whether it is its turn.
            progress: Share of the run that is done.

        Returns:
            The loss on the shifted batch, detached; None where it is not its turn.
        """
        config = self._config
        if config.kind == "none" or progress < config.from_share:
            return None
        if not drawn(config.share, self._seed, "adversarial", number):
            return None
        device = self._accelerator.device
        inputs, labels = batch.inputs(device), batch.labels.to(device)
        draw = number * self._accelerator.num_processes + self._accelerator.process_index
        shift = worst_shift(
            self._core,
            inputs,
            labels,
            config,
            generator=torch.Generator(device).manual_seed((self._seed << 32) % _SEEDS + draw),
            autocast=self._accelerator.autocast,
        )
        loss = self._model(**inputs, labels=labels, perturbation=shift).loss
        self._accelerator.backward(config.weight * loss)
        return loss.detach()  # type: ignore[no-any-return]


def worst_shift(
    core: TinyGuardrail,
    inputs: dict[str, Tensor],
    labels: Tensor,
    config: AdversarialConfig,
    *,
    kind: Kind | None = None,
    generator: torch.Generator | None = None,
    autocast: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Tensor:
    """Search for the shift of a batch's embeddings that raises both branches' loss most.

    Args:
        core: The network, not wrapped; its mode and gradients are kept.
        inputs: What `Batch.inputs` gives.
        labels: (B,) class ids.
        config: Ball, steps and kind.
        kind: Instead of that of `config`.
        generator: Of the random start of `pgd`, on the device of `inputs`.
        autocast: Gives the context in which the network computes.

    Returns:
        (B, T, H), detached; zero at padding.
    """
    kind = kind or config.kind
    cross_entropy = partial(functional.cross_entropy, target=labels, reduction="sum")
    mask, patterns = inputs["attention_mask"].bool(), inputs["pattern_scores"]
    with evaluating(core), torch.enable_grad(), autocast():
        with torch.no_grad():
            embedded = _embed(core, inputs)
        radius = config.epsilon * embedded.norm(dim=-1, keepdim=True) * mask[..., None]
        if kind == "fgsm":
            steps, size, shift = 1, 1.0, torch.zeros_like(embedded)
        else:
            steps, size = config.steps, config.step_size
            shift = _random_start(radius, embedded, generator)
        for _ in range(steps):
            moved = embedded + shift.requires_grad_()
            fast, deep = (branch(moved, mask, patterns) for branch in (core.fast, core.deep))
            loss = _GRADIENT_SCALE * (cross_entropy(fast.float()) + cross_entropy(deep.float()))
            (gradient,) = torch.autograd.grad(loss, shift)
            step = size * radius * functional.normalize(gradient.nan_to_num(0.0, 0.0, 0.0), dim=-1)
            shift = _project(shift.detach() + step, radius)
    return shift


def robust_accuracy(
    core: TinyGuardrail,
    corpus: Corpus,
    config: AdversarialConfig,
    accelerator: Accelerator,
    seed: int,
    *,
    tokens: int,
    max_rows: int,
) -> dict[str, Any]:
    """Judge a small fixed set of held-out windows as they are, under FGSM and under PGD.

    Args:
        core: The network, not wrapped.
        corpus: Held-out windows.
        config: The ball and the number of windows.
        accelerator: Of the run.
        seed: Of the draw of the windows.
        tokens: Budget of a batch.
        max_rows: Most windows in a batch.

    Returns:
        JSON types: by attack (`plain`, `fgsm`, `pgd`) and branch `accuracy`, `detection` (attacks
        called any class but benign) and `false_alarms` (benign windows called an attack).
    """
    device = accelerator.device
    rows = _fixed_windows(corpus, config.windows, seed)
    labels = corpus.rows["label"][rows].astype(np.int64)
    report: dict[str, Any] = {"windows": len(rows), "epsilon": config.epsilon}
    kinds: tuple[Kind, ...] = ("none", "fgsm", "pgd")
    called = {kind: np.empty((2, len(rows)), np.int64) for kind in kinds}
    for places in plan_batches(corpus.lengths[rows], tokens=tokens, max_rows=max_rows):
        batch = collate(corpus, rows[places])
        inputs, truth = batch.inputs(device), batch.labels.to(device)
        for kind in kinds:
            shift = None
            if kind != "none":
                start = torch.Generator(device).manual_seed(seed)
                shift = worst_shift(
                    core,
                    inputs,
                    truth,
                    config,
                    kind=kind,
                    generator=start,
                    autocast=accelerator.autocast,
                )
            with evaluating(core), torch.no_grad():
                info = core(**inputs, perturbation=shift).route_info
            both = torch.stack([info.fast_logits, info.deep_logits])
            called[kind][:, places] = both.argmax(-1).cpu().numpy()
    for kind in kinds:
        report["plain" if kind == "none" else kind] = {
            branch: _summary(labels, answers)
            for branch, answers in zip(("fast", "deep"), called[kind], strict=True)
        }
    return report


def _embed(core: TinyGuardrail, inputs: dict[str, Tensor]) -> Tensor:
    names = ("input_ids", "char_ids", "pattern_scores", "segment_ids")
    return core.embeddings(*(inputs[name] for name in names))  # type: ignore[no-any-return]


def _random_start(radius: Tensor, like: Tensor, generator: torch.Generator | None) -> Tensor:
    """A random direction a token, of a random length within its ball."""
    device, dtype = like.device, like.dtype
    normal = torch.randn(like.shape, generator=generator, device=device, dtype=dtype)
    length = torch.rand(radius.shape, generator=generator, device=device, dtype=dtype)
    return functional.normalize(normal, dim=-1) * radius * length


def _project(shift: Tensor, radius: Tensor) -> Tensor:
    length = shift.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    projected: Tensor = shift * (radius / length).clamp(max=1.0)
    return projected


def _fixed_windows(corpus: Corpus, count: int, seed: int) -> NDArray[np.int64]:
    """Windows of texts that have no other: the label of a text is then the label of its window."""
    owners = corpus.rows["example"]
    alone = np.flatnonzero(np.bincount(owners)[owners] == 1)
    rows = alone if len(alone) else np.arange(len(owners))
    drawn_rows = np.random.default_rng(seed).choice(rows, min(count, len(rows)), replace=False)
    return np.sort(drawn_rows)


def _summary(labels: NDArray[np.int64], called: NDArray[np.int64]) -> dict[str, float | None]:
    attack, flagged = labels != 0, called != 0
    return {
        "accuracy": float(np.mean(labels == called)),
        "detection": float(flagged[attack].mean()) if attack.any() else None,
        "false_alarms": float(flagged[~attack].mean()) if not attack.all() else None,
    }
