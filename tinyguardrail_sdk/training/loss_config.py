"""The weights of the objective, apart from its terms: reading a configuration needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass


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
