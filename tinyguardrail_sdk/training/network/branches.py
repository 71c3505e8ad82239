"""The two branches and the router, each a function of the embedded text."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tinyguardrail_sdk.training.network.config import DEEP_LAYERS, FAST_LAYERS, NetworkConfig
from tinyguardrail_sdk.training.network.experts import MixtureOfExperts
from tinyguardrail_sdk.training.network.layers import (
    EncoderLayer,
    FeedForward,
    masked_max,
    masked_mean,
)


class Head(nn.Module):
    """Class logits from the read-out token, the pooled text and the detector scores."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(3 * config.hidden, config.hidden)
        self.patterns = nn.Linear(config.patterns, config.hidden, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        self.classify = nn.Linear(config.hidden, config.labels)

    def forward(self, readout: Tensor, hidden: Tensor, mask: Tensor, patterns: Tensor) -> Tensor:
        """Map (B, H), (B, T, H), (B, T), (B, P) to logits (B, labels)."""
        pooled = torch.cat([readout, masked_mean(hidden, mask), masked_max(hidden, mask)], -1)
        features = self.dropout(torch.tanh(self.dense(pooled) + self.patterns(patterns)))
        return self.classify(features)  # type: ignore[no-any-return]


class Branch(nn.Module):
    """A stack of encoder layers whose last one reads out the first token, and a head."""

    def __init__(self, config: NetworkConfig, feed_forwards: list[nn.Module]) -> None:
        super().__init__()
        last = len(feed_forwards) - 1
        self.layers = nn.ModuleList(
            EncoderLayer(config, feed_forward, readout=index == last)
            for index, feed_forward in enumerate(feed_forwards)
        )
        self.head = Head(config)

    def encoder_layers(self) -> list[EncoderLayer]:
        """The layers from the bottom up; the last one reads out."""
        return [layer for layer in self.layers if isinstance(layer, EncoderLayer)]

    def forward(self, hidden: Tensor, mask: Tensor, patterns: Tensor) -> Tensor:
        """Map embeddings (B, T, H) to class logits (B, labels)."""
        for layer in self.layers[:-1]:
            hidden = layer(hidden, mask)
        readout = self.layers[-1](hidden, mask)
        return self.head(readout[:, 0], hidden, mask, patterns)  # type: ignore[no-any-return]


def fast_branch(config: NetworkConfig) -> Branch:
    """Few layers, narrow feed-forwards: enough for most texts."""
    return Branch(
        config, [FeedForward(config.hidden, config.fast_ffn) for _ in range(config.fast_layers)]
    )


def deep_branch(config: NetworkConfig) -> Branch:
    """Twice the layers, each feed-forward a mixture of experts."""
    return Branch(config, [MixtureOfExperts(config) for _ in range(config.deep_layers)])


def tie(fast: Branch, deep: Branch) -> None:
    """Give each fast layer the attention and norms of the first deep layer from its base layer.

    They are modules of both branches then: one parameter, with the gradients of both.
    """
    layers = deep.encoder_layers()
    for ours, number in zip(fast.encoder_layers(), FAST_LAYERS, strict=True):
        twin = layers[DEEP_LAYERS.index(number)]
        ours.attention = twin.attention
        ours.attention_norm, ours.output_norm = twin.attention_norm, twin.output_norm


class Router(nn.Module):
    """Predicts from the embeddings alone whether the fast branch is enough."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(2 * config.hidden + config.patterns, config.router_hidden)
        self.decide = nn.Linear(config.router_hidden, 1)

    def forward(self, embedded: Tensor, mask: Tensor, patterns: Tensor) -> Tensor:
        """Logit (B,) that the fast branch answers rightly."""
        pooled = [masked_mean(embedded, mask), masked_max(embedded, mask), patterns]
        hidden = functional.relu(self.dense(torch.cat(pooled, -1)))
        return self.decide(hidden).squeeze(-1)  # type: ignore[no-any-return]
