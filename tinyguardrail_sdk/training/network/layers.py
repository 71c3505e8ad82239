"""Encoder layers, post-norm as in BERT so that pretrained weights fit without change.

The last layer of a branch reads out one token: its queries, output projection and feed-forward run
for the first token only, while keys and values still come from the whole text. That takes a
tenth off the deep branch and leaves the answer a function of every token.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tinyguardrail_sdk.training.network.config import NetworkConfig

LAYER_NORM_EPS = 1e-12


class Attention(nn.Module):
    """Multi-head self-attention with one packed projection per role."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query = nn.Linear(config.hidden, config.attention_width)
        self.key_value = nn.Linear(config.hidden, 2 * config.attention_width)
        self.output = nn.Linear(config.attention_width, config.hidden)

    def forward(self, queries: Tensor, hidden: Tensor, mask: Tensor) -> Tensor:
        """Attend from `queries` (B, Q, H) to `hidden` (B, T, H) where `mask` (B, T) is true."""
        key, value = self.key_value(hidden).chunk(2, dim=-1)
        context = functional.scaled_dot_product_attention(
            self._split(self.query(queries)),
            self._split(key),
            self._split(value),
            attn_mask=mask[:, None, None, :],
        )
        return self.output(context.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def _split(self, x: Tensor) -> Tensor:
        rows, tokens, _ = x.shape
        return x.view(rows, tokens, self.heads, -1).transpose(1, 2)  # (B, heads, T, head width)


class FeedForward(nn.Module):
    """Two linear maps around a GELU (tanh form: the runtime's fused operator computes that one)."""

    def __init__(self, hidden: int, width: int) -> None:
        super().__init__()
        self.up = nn.Linear(hidden, width)
        self.down = nn.Linear(width, hidden)

    def forward(self, hidden: Tensor, gate_input: Tensor | None = None) -> Tensor:
        """Map `hidden` (..., H) to (..., H); `gate_input` is for experts only."""
        return self.down(functional.gelu(self.up(hidden), approximate="tanh"))  # type: ignore[no-any-return]


class EncoderLayer(nn.Module):
    """Attention and feed-forward, each followed by residual and LayerNorm."""

    def __init__(self, config: NetworkConfig, feed_forward: nn.Module, *, readout: bool) -> None:
        super().__init__()
        self.readout = readout
        self.attention = Attention(config)
        self.attention_norm = nn.LayerNorm(config.hidden, eps=LAYER_NORM_EPS)
        self.feed_forward = feed_forward
        self.output_norm = nn.LayerNorm(config.hidden, eps=LAYER_NORM_EPS)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Map (B, T, H) to (B, T, H), or to (B, 1, H) in a read-out layer."""
        queries = hidden[:, :1] if self.readout else hidden
        attended = self.attention_norm(
            queries + self.dropout(self.attention(queries, hidden, mask))
        )
        gate_input = masked_mean(hidden, mask)
        transformed = self.feed_forward(attended, gate_input)
        return self.output_norm(attended + self.dropout(transformed))  # type: ignore[no-any-return]


def masked_mean(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean of (B, T, H) over the true places of (B, T) -> (B, H)."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1.0)


def masked_max(hidden: Tensor, mask: Tensor) -> Tensor:
    """Maximum of (B, T, H) over the true places of (B, T) -> (B, H)."""
    return hidden.masked_fill(~mask.unsqueeze(-1), torch.finfo(hidden.dtype).min).amax(1)
