"""The sizes of the network, on one screen."""

from __future__ import annotations

from dataclasses import dataclass

from tinyguardrail_sdk.chars import CHAR_VOCAB_SIZE
from tinyguardrail_sdk.labels import LABELS, PATTERNS, SOURCES


@dataclass(frozen=True)
class NetworkConfig:
    """Every size of the network; the defaults are the shipped shape.

    Raises:
        ValueError: A size contradicts another one; the message names the field and the fix.
    """

    vocab_size: int = 34_217  # the shipped vocabulary, extended by `vocabulary.extend`
    hidden: int = 384
    heads: int = 12
    max_positions: int = 512
    char_vocab: int = CHAR_VOCAB_SIZE
    char_dim: int = 16
    char_filters: int = 32  # per kernel width
    char_kernels: tuple[int, ...] = (2, 3, 4, 5, 7)
    patterns: int = len(PATTERNS)
    segments: int = 2 * len(SOURCES)  # each source as written, then each as a decoded view
    labels: int = len(LABELS)
    fast_layers: int = 4
    fast_ffn: int = 384
    deep_layers: int = 8
    experts: int = 8
    expert_groups: int = 2  # one expert of each group is active: top-2 with two groups
    expert_ffn: int = 768
    router_hidden: int = 128
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.hidden % self.heads:
            raise ValueError(f"hidden={self.hidden} must be a multiple of heads={self.heads}")
        if self.experts % self.expert_groups:
            raise ValueError(
                f"experts={self.experts} must be a multiple of expert_groups={self.expert_groups}"
            )
        if min(self.fast_layers, self.deep_layers) < 2:
            raise ValueError(
                "fast_layers and deep_layers must be at least 2: the last layer of a "
                "branch only reads out the first token"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout={self.dropout} must be in [0, 1)")
