"""What a training run is told: typed, checked at construction, kept beside the weights.

A run is described by one nested `TrainConfig`. It is read from JSON or TOML, changed by
`section.field=value` overrides, and refuses nonsense with an error that names field and fix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tinyguardrail_sdk.features import MAX_TOKENS, OVERLAP
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT
from tinyguardrail_sdk.training.hardening import AdversarialConfig, MutationConfig
from tinyguardrail_sdk.training.loss_config import DistillConfig, LossConfig
from tinyguardrail_sdk.training.network.config import NetworkConfig
from tinyguardrail_sdk.training.settings import build, dump, override, read_values

Precision = Literal["auto", "no", "fp16", "bf16"]
Decay = Literal["cosine", "linear"]
Tracker = Literal["", "tensorboard"]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)


@dataclass(frozen=True)
class DataConfig:
    """Which texts, and how they become batches.

    Attributes:
        train: JSON-lines files of `Example`s to learn from.
        validation: JSON-lines files for model choice; share no family with `train`.
        vocab: WordPiece vocabulary, one piece a line.
        cache: Folder of the tokenised windows; empty means `cache` in the run folder.
        workers: Processes that tokenise; 1 tokenises in this process.
        max_tokens: Window length, both special tokens included.
        overlap: Tokens that neighbouring windows share.
        tokens_per_batch: Budget of one micro-batch, padding included.
        max_rows: Most windows in one micro-batch.
        validation_texts: Texts scored at each validation, drawn once by seed; 0 scores all.
    """

    train: tuple[Path, ...] = ()
    validation: tuple[Path, ...] = ()
    vocab: Path = DEFAULT_CHECKPOINT / "vocab.txt"
    cache: Path | None = None
    workers: int = 2
    max_tokens: int = MAX_TOKENS
    overlap: int = OVERLAP
    tokens_per_batch: int = 4096
    max_rows: int = 128
    validation_texts: int = 1500

    def __post_init__(self) -> None:
        _require(self.workers >= 1, f"workers={self.workers} must be at least 1")
        _require(
            0 <= self.overlap < self.max_tokens - 2,
            f"overlap={self.overlap} must be smaller than max_tokens - 2 = {self.max_tokens - 2}",
        )
        _require(
            self.tokens_per_batch >= self.max_tokens,
            f"tokens_per_batch={self.tokens_per_batch} cannot hold one window: "
            f"raise it to at least max_tokens={self.max_tokens}",
        )
        _require(self.max_rows >= 1, f"max_rows={self.max_rows} must be at least 1")
        _require(
            self.validation_texts >= 0,
            f"validation_texts={self.validation_texts} must not be negative; 0 scores all",
        )


@dataclass(frozen=True)
class OptimizerConfig:
    """AdamW; biases and LayerNorms never decay.

    Attributes:
        lr: Peak rate of weights that come from the pretrained base.
        new_lr: Peak rate of weights that start from nothing (character CNN, heads, gates, router).
        weight_decay: Decoupled decay of matrices.
        beta1: Decay of the mean of the gradient.
        beta2: Decay of the mean of its square.
        clip: Largest gradient norm; 0 leaves it alone.
        accumulation: Micro-batches per optimiser step.
        ema: Decay of the average of the weights that is validated and kept; 0 turns it off.
    """

    lr: float = 5e-5
    new_lr: float = 5e-4
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.98
    clip: float = 1.0
    accumulation: int = 1
    ema: float = 0.0

    def __post_init__(self) -> None:
        for name in ("lr", "new_lr"):
            value = getattr(self, name)
            _require(0 < value < 1, f"{name}={value} must be in (0, 1); 5e-5 to 5e-4 is usual")
        for name in ("weight_decay", "clip"):
            _require(getattr(self, name) >= 0, f"{name} must not be negative; 0 turns it off")
        for name in ("beta1", "beta2", "ema"):
            _require(
                0 <= getattr(self, name) < 1, f"{name}={getattr(self, name)} must be in [0, 1)"
            )
        _require(self.accumulation >= 1, f"accumulation={self.accumulation} must be at least 1")


@dataclass(frozen=True)
class ScheduleConfig:
    """How long to train, and the shape of the learning rate over it.

    The length is `max_minutes` or `max_steps` where set, else `epochs`.

    Attributes:
        epochs: Passes over the training windows.
        max_steps: Optimiser steps; 0 leaves the length to the other fields.
        max_minutes: Wall-clock budget of the loop over all its sessions; the rate follows the
            elapsed share of it. 0 leaves the length to the other fields.
        warmup: Share of the length over which the rate rises from 0.
        decay: Shape of the fall to 0 after it.
        quantized_from: Share of the length from which the network computes as its INT8 export
            will (quantisation-aware training); 1 never does.
    """

    epochs: float = 3.0
    max_steps: int = 0
    max_minutes: float = 0.0
    warmup: float = 0.05
    decay: Decay = "cosine"
    quantized_from: float = 1.0

    def __post_init__(self) -> None:
        _require(self.epochs > 0, f"epochs={self.epochs} must be above 0")
        _require(self.max_steps >= 0, f"max_steps={self.max_steps} must not be negative")
        _require(self.max_minutes >= 0, f"max_minutes={self.max_minutes} must not be negative")
        _require(
            not (self.max_steps and self.max_minutes),
            "max_steps and max_minutes are both set: keep one of them and leave the other at 0",
        )
        _require(0 <= self.warmup < 1, f"warmup={self.warmup} is a share and must be in [0, 1)")
        _require(
            0 <= self.quantized_from <= 1,
            f"quantized_from={self.quantized_from} is a share and must be in [0, 1]; 1 never does",
        )


@dataclass(frozen=True)
class TrainConfig:
    """A whole training run.

    Attributes:
        output: Run folder: checkpoints, `best`, `metrics.jsonl`.
        init: `shipped` (the INT8 checkpoint in the package), the folder of another INT8 checkpoint
            or of a training checkpoint, a pretrained base (a name that `transfer.initialise` knows
            or a folder), or `scratch`.
        seed: Of initialisation, shuffling and dropout.
        precision: `auto` takes BF16 or FP16 on a GPU and plain FP32 on a CPU.
        threads: CPU threads of PyTorch; 0 leaves its default.
        log_every: Steps between lines of `metrics.jsonl`.
        validate_every: Steps between validations.
        patience: Validations without a better score before stopping; 0 never stops early. Counted
            from `last_phase` on.
        checkpoint_minutes: Longest time between two checkpoints; the end of an epoch makes one too.
        tracker: Where the numbers of `metrics.jsonl` go besides: `tensorboard` writes its logs
            into the run folder; empty goes nowhere.
        data: See `DataConfig`.
        optimizer: See `OptimizerConfig`.
        schedule: See `ScheduleConfig`.
        network: Sizes of the network.
        losses: Weights of the terms of the loss.
        distillation: See `DistillConfig`; off by default.
        adversarial: See `AdversarialConfig`; off by default.
        mutation: See `MutationConfig`; off by default.
    """

    output: Path = Path("runs/guard")
    init: str = "scratch"
    seed: int = 20
    precision: Precision = "auto"
    threads: int = 0
    log_every: int = 20
    validate_every: int = 500
    patience: int = 0
    checkpoint_minutes: float = 10.0
    tracker: Tracker = ""
    data: DataConfig = field(default_factory=DataConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    distillation: DistillConfig = field(default_factory=DistillConfig)
    adversarial: AdversarialConfig = field(default_factory=AdversarialConfig)
    mutation: MutationConfig = field(default_factory=MutationConfig)

    def __post_init__(self) -> None:
        for name in ("log_every", "validate_every"):
            _require(getattr(self, name) >= 1, f"{name}={getattr(self, name)} must be at least 1")
        for name in ("seed", "threads", "patience"):
            _require(getattr(self, name) >= 0, f"{name}={getattr(self, name)} must not be negative")
        _require(
            self.checkpoint_minutes > 0,
            f"checkpoint_minutes={self.checkpoint_minutes} must be above 0; 10 is usual",
        )
        _require(
            self.data.max_tokens <= self.network.max_positions,
            f"data.max_tokens={self.data.max_tokens} exceeds "
            f"network.max_positions={self.network.max_positions}: lower the one or raise the other",
        )

    @property
    def last_phase(self) -> float:
        """Share of the run at which the last of what begins later begins; 0 without any."""
        begins = [
            self.schedule.quantized_from % 1,  # 1 never begins
            self.adversarial.from_share if self.adversarial.kind != "none" else 0.0,
            self.mutation.from_share if self.mutation.share else 0.0,
        ]
        return max(begins)

    @property
    def cache(self) -> Path:
        """Folder of the tokenised windows."""
        return self.data.cache or self.output / "cache"

    def to_dict(self) -> dict[str, Any]:
        """The configuration as JSON types."""
        return dump(self)


# Fields of the network that never had an effect; older runs still hold them.
_RETIRED = frozenset({"chars_per_token"})


def from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """Build a configuration from nested mappings; what they leave out keeps its default.

    Raises:
        InputError: A field is unknown or has a senseless value; the message names it and the fix.
    """
    if isinstance(network := values.get("network"), Mapping):
        kept = {name: value for name, value in network.items() if name not in _RETIRED}
        values = {**values, "network": kept}
    return build(TrainConfig, values)


def load_config(path: str | Path | None, overrides: Iterable[str] = ()) -> TrainConfig:
    """Read a JSON or TOML file (or start from the defaults) and apply `field=value` overrides.

    Args:
        path: A `.json` or `.toml` file, or None.
        overrides: Such as `optimizer.lr=1e-4`; the value is JSON, or plain text where it is not.

    Raises:
        InputError: The file or an override cannot be read, or makes no sense.
    """
    values = {} if path is None else read_values(Path(path))
    return from_dict(override(values, overrides))
