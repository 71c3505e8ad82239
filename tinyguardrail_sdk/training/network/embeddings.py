"""Threat-aware embeddings: what tokens mean, how they are spelled, what the detectors found."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tinyguardrail_sdk.training.network.config import NetworkConfig
from tinyguardrail_sdk.training.network.layers import LAYER_NORM_EPS


class CharacterCNN(nn.Module):
    """Multi-scale convolutions over the raw characters of each token.

    All kernel widths are computed as one product over windows of the widest kernel. The weights of
    places that a narrower kernel does not reach are zero and stay so: `kernel_mask` keeps gradients
    from them.
    """

    kernel_mask: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.width = max(config.char_kernels)
        self.embedding = nn.Embedding(config.char_vocab, config.char_dim, padding_idx=0)
        filters = config.char_filters * len(config.char_kernels)
        self.filters = nn.Linear(self.width * config.char_dim, filters)
        self.project = nn.Linear(filters, config.hidden)
        mask = torch.zeros(len(config.char_kernels), 1, self.width, 1)
        for row, kernel in enumerate(config.char_kernels):
            mask[row, :, :kernel] = 1.0
        full = mask.expand(-1, config.char_filters, -1, config.char_dim).flatten(2).flatten(0, 1)
        self.register_buffer("kernel_mask", full.contiguous(), persistent=False)

    def forward(self, char_ids: Tensor) -> Tensor:
        """Map character ids (B, T, C) to features (B, T, H)."""
        padded = functional.pad(char_ids, (0, self.width - 1))
        windows = padded.unfold(-1, self.width, 1)  # (B, T, C, width)
        vectors = self.embedding(windows).flatten(-2)
        responses = functional.linear(vectors, self.filters.weight * self.kernel_mask)
        # At least zero, the response to padding: an answer must not depend on how far C is padded.
        strongest = responses.amax(-2).clamp(min=0.0)
        return self.project((strongest + self.filters.bias).relu())  # type: ignore[no-any-return]

    @torch.no_grad()
    def clear_unreached(self) -> None:
        """Zero the weights of places that no kernel reaches; once, after initialisation."""
        self.filters.weight.mul_(self.kernel_mask)


class ThreatEmbeddings(nn.Module):
    """Sum of token, position, segment, character and detector embeddings, normalised."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.vocab_size, config.hidden, padding_idx=0)
        self.positions = nn.Embedding(config.max_positions, config.hidden)
        self.segments = nn.Embedding(config.segments, config.hidden)
        self.characters = CharacterCNN(config)
        self.patterns = nn.Linear(config.patterns, config.hidden, bias=False)
        self.norm = nn.LayerNorm(config.hidden, eps=LAYER_NORM_EPS)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, input_ids: Tensor, char_ids: Tensor, pattern_scores: Tensor, segment_ids: Tensor
    ) -> Tensor:
        """Embed (B, T) ids, (B, T, C) characters, (B, P) scores, (B,) segments -> (B, T, H)."""
        per_text = self.segments(segment_ids) + self.patterns(pattern_scores)
        summed = (
            self.tokens(input_ids)
            + self.positions.weight[: input_ids.shape[1]]
            + self.characters(char_ids)
            + per_text[:, None]
        )
        return self.dropout(self.norm(summed))  # type: ignore[no-any-return]
