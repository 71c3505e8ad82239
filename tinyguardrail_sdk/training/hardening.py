"""The two settings that make a network harder to fool; both are off by default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["none", "fgsm", "pgd"]


@dataclass(frozen=True)
class AdversarialConfig:
    """Adversarial training on the embeddings, one of the options of the loop.

    Attributes:
        kind: How the shift is found; `none` turns everything here off.
        epsilon: Longest shift of a token, as a share of the length of its embedding. Under shifts
            of 0.02 the first shipped network lost one right answer in five (fast) and in nine
            (deep); under 0.05, one in two and in three.
        step_size: Length of one step of `pgd`, as a share of the longest shift.
        steps: Steps of `pgd`.
        share: Share of the micro-batches that are learned from a second time, shifted.
        from_share: Share of the run from which it is on.
        weight: Of the loss on the shifted batch, beside 1 for the plain one.
        windows: Held-out windows on which robust accuracy is reported at each validation.
    """

    kind: Kind = "none"
    epsilon: float = 0.02
    step_size: float = 0.5
    steps: int = 3
    share: float = 0.5
    from_share: float = 0.0
    weight: float = 0.5
    windows: int = 128

    def __post_init__(self) -> None:
        for name in ("epsilon", "step_size", "share"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise ValueError(f"{name}={value} must be in (0, 1]; kind=none turns it off")
        for name in ("steps", "windows"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if not 0 <= self.from_share < 1:
            raise ValueError(f"from_share={self.from_share} is a share and must be in [0, 1)")
        if self.weight <= 0:
            raise ValueError(f"weight={self.weight} must be above 0; kind=none turns it off")


@dataclass(frozen=True)
class MutationConfig:
    """Mutated texts among the batches, one of the options of the loop.

    Attributes:
        share: Share of the micro-batches that are made of mutants; 0 turns it off.
        refresh: Steps from one choice of mutants to the next.
        texts: Training texts drawn for a choice.
        variants: Mutants made of each of them.
        keep: Share of the texts whose worst mutant is learned from, the hardest.
        from_share: Share of the run from which it is on.
    """

    share: float = 0.0
    refresh: int = 100
    texts: int = 512
    variants: int = 4
    keep: float = 0.5
    from_share: float = 0.0

    def __post_init__(self) -> None:
        for name in ("share", "from_share"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f"{name}={value} is a share and must be in [0, 1)")
        for name in ("refresh", "texts", "variants"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        if not 0 < self.keep <= 1:
            raise ValueError(f"keep={self.keep} must be in (0, 1]; share=0 turns mutation off")
