"""The objective, one function a term: focal + load balance + router + both distillations."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class LossConfig:
    """Weights of the terms.

    Attributes:
        focal_gamma: Focusing exponent of the focal loss (Lin et al. 2017); 0 is cross-entropy.
        label_smoothing: Mass moved from the true class to all classes.
        balance: Weight of the experts' load-balancing loss.
        router: Weight of the router's loss.
        distillation: Weight of the loss that pulls the fast branch to what the deep branch says;
            0 lets it learn from the labels alone.
    """

    focal_gamma: float = 1.0
    label_smoothing: float = 0.02
    balance: float = 0.01
    router: float = 0.2
    distillation: float = 0.0

    def __post_init__(self) -> None:
        for name in ("focal_gamma", "balance", "router", "distillation"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing must be in [0, 1), got {self.label_smoothing}")


@dataclass(frozen=True)
class DistillConfig:
    """A teacher whose answers both branches are pulled to; off by default.

    Attributes:
        teacher: The folder of a training checkpoint or of an INT8 checkpoint, `shipped`, or folder
            or hub name of a four-class text classifier of `transformers`; empty turns everything
            here off.
        weight: Of each branch's divergence from the teacher, beside 1 for that from the labels.
        temperature: Divisor of both logits before they are compared.
    """

    teacher: str = ""
    weight: float = 0.5
    temperature: float = 2.0

    def __post_init__(self) -> None:
        if self.weight <= 0:
            raise ValueError(f"weight={self.weight} must be above 0; an empty teacher turns it off")
        if self.temperature <= 0:
            raise ValueError(f"temperature={self.temperature} must be above 0; 2 is usual")


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
