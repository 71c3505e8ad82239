"""The sizes of the network, on one screen."""

from __future__ import annotations

from dataclasses import dataclass

from tinyguardrail_sdk.chars import CHAR_VOCAB_SIZE
from tinyguardrail_sdk.labels import LABELS, PATTERNS, SOURCES

# The layer of a six-layer base that each layer of a branch is made from; see `transfer`.
FAST_LAYERS = (0, 1, 3, 5)
DEEP_LAYERS = (0, 1, 2, 3, 3, 4, 4, 5)


@dataclass(frozen=True)
class NetworkConfig:
    """Every size of the network; the defaults are the shipped shape.

    Attributes:
        vocab_size: Rows of the token table; the shipped vocabulary is extended by
            `vocabulary.extend`.
        hidden: Hidden size.
        heads: Attention heads of a layer.
        head_width: Width of a head; 0 is hidden / heads. That of a base, where only some of its
            heads are kept.
        max_positions: Rows of the table of positions.
        char_vocab: Rows of the table of characters.
        char_dim: Width of a character's embedding.
        char_filters: Filters of the character CNN per kernel width.
        char_kernels: Kernel widths of the character CNN, in characters.
        patterns: Number of detectors whose scores are embedded.
        segments: Number of segment embeddings: each source as written, then each as a decoded view.
        labels: Number of classes.
        fast_layers: Number of layers of the fast branch.
        fast_ffn: Width of the feed-forward layers of the fast branch.
        deep_layers: Number of layers of the deep branch.
        experts: Number of experts in each feed-forward layer of the deep branch.
        expert_groups: Groups of experts, of each of which one is active: top-2 with two groups.
        expert_ffn: Width of an expert.
        tied: Whether each fast layer has attention and norms in common with a deep one.
        router_hidden: Width of the router's hidden layer.
        dropout: Dropout probability.

    Raises:
        ValueError: A size contradicts another one; the message names the field and the fix.
    """

    vocab_size: int = 34_217
    hidden: int = 384
    heads: int = 12
    head_width: int = 0
    max_positions: int = 512
    char_vocab: int = CHAR_VOCAB_SIZE
    char_dim: int = 16
    char_filters: int = 32
    char_kernels: tuple[int, ...] = (2, 3, 4, 5, 7)
    patterns: int = len(PATTERNS)
    segments: int = 2 * len(SOURCES)
    labels: int = len(LABELS)
    fast_layers: int = 4
    fast_ffn: int = 384
    deep_layers: int = 8
    experts: int = 8
    expert_groups: int = 2
    expert_ffn: int = 768
    tied: bool = False
    router_hidden: int = 128
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.head_width < 0:
            raise ValueError(f"head_width={self.head_width} must not be negative; 32 is usual")
        if not self.head_width and self.hidden % self.heads:
            raise ValueError(
                f"hidden={self.hidden} must be a multiple of heads={self.heads}, "
                "or head_width be set, which is 32 in MiniLM"
            )
        if self.experts % self.expert_groups:
            raise ValueError(
                f"experts={self.experts} must be a multiple of expert_groups={self.expert_groups}"
            )
        if min(self.fast_layers, self.deep_layers) < 2:
            raise ValueError(
                "fast_layers and deep_layers must be at least 2: the last layer of a "
                "branch only reads out the first token"
            )
        depths = {"fast_layers": len(FAST_LAYERS), "deep_layers": len(DEEP_LAYERS)}
        if self.tied and any(getattr(self, name) != depth for name, depth in depths.items()):
            wanted = " and ".join(f"{name}={depth}" for name, depth in depths.items())
            raise ValueError(
                f"tied=true needs {wanted}: only for these is it known which layers belong together"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout={self.dropout} must be in [0, 1)")

    @property
    def attention_width(self) -> int:
        """Numbers a token of all heads together."""
        return self.heads * (self.head_width or self.hidden // self.heads)
