"""The objective, one function a term: focal + load balance + router + both distillations."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from tinyguardrail_sdk.training.loss_config import LossConfig


def focal_loss(logits: Tensor, labels: Tensor, config: LossConfig) -> Tensor:
    """Mean focal loss of logits (B, C) against labels (B,): cross-entropy times (1 - p)^gamma.

    The factor learns too, as in the paper: p is the probability of the true class.
    """
    losses = functional.cross_entropy(
        logits, labels, reduction="none", label_smoothing=config.label_smoothing
    )
    # log(1 - p) from the other classes: 1 - p itself would be 0, and its power without gradient.
    others = logits.log_softmax(-1).scatter(1, labels[:, None], -torch.inf).logsumexp(-1)
    return ((config.focal_gamma * others).exp() * losses).mean()


def router_loss(route_logits: Tensor, fast_logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the router's logits (B,) against "the fast branch was right"."""
    right = (fast_logits.detach().argmax(-1) == labels).to(route_logits.dtype)
    return functional.binary_cross_entropy_with_logits(route_logits, right)


def distillation_loss(student: Tensor, teacher: Tensor, temperature: float = 2.0) -> Tensor:
    """Divergence of logits (B, C) from a teacher's, softened and rescaled (Hinton et al. 2015)."""
    wanted = (teacher.detach() / temperature).log_softmax(-1)
    given = (student / temperature).log_softmax(-1)
    distance = functional.kl_div(given, wanted, reduction="batchmean", log_target=True)
    return temperature**2 * distance
