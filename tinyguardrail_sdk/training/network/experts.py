"""Mixture of experts, routed per text.

Eight experts stand in two groups; every text uses the best one of each group (group-limited top-2).
Routing per text and not per token keeps one expert a plain dense product at run time, so that the
inference engine runs two of them at the cost of the dense layer they replace. The groups are
upcycled from the two halves of one pretrained feed-forward: their sum is that layer exactly,
whatever the gate says.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tinyguardrail_sdk.training.network.config import NetworkConfig
from tinyguardrail_sdk.training.network.layers import FeedForward


class MixtureOfExperts(nn.Module):
    """Experts behind a gate that reads the mean of the text.

    Attributes:
        balance_loss: Load-balancing loss of the last forward pass (Switch Transformer, eq. 4-6, per
            group, mean over groups); 1.0 when perfectly balanced.
        load: (experts,) share of texts that used each expert in the last forward pass.
        used: (B, experts) bool, the experts of each text of the last forward pass.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.groups = config.expert_groups
        self.gate = nn.Linear(config.hidden, config.experts)
        self.experts = nn.ModuleList(
            FeedForward(config.hidden, config.expert_ffn) for _ in range(config.experts)
        )
        self.balance_loss = torch.zeros(())
        self.load = torch.zeros(config.experts)
        self.used = torch.zeros(0, config.experts, dtype=torch.bool)

    def forward(self, hidden: Tensor, gate_input: Tensor) -> Tensor:
        """Map `hidden` (B, T, H) to (B, T, H) with the experts chosen by `gate_input` (B, H)."""
        scores = self.gate(gate_input).unflatten(-1, (self.groups, -1)).softmax(-1)  # (B, G, E/G)
        weight, winner = scores.max(-1)  # (B, G)
        self._account(scores, winner)
        # Forward value 1, gradient of the probability: the gate learns, the pretrained scale stays.
        weight = 1.0 + weight - weight.detach()
        per_group = scores.shape[-1]
        output = torch.zeros_like(hidden)
        for group in range(self.groups):
            for place in range(per_group):
                rows = (winner[:, group] == place).nonzero(as_tuple=True)[0]
                if len(rows) == 0:
                    continue
                expert = self.experts[group * per_group + place]
                # index_select: the gradient of plain indexing is many times slower on a CPU.
                chosen = expert(hidden.index_select(0, rows))
                answer = chosen * weight[:, group].index_select(0, rows)[:, None, None]
                output = output.index_add(0, rows, answer.to(output.dtype))
        return output

    def _account(self, scores: Tensor, winner: Tensor) -> None:
        per_group = scores.shape[-1]
        chosen = nn.functional.one_hot(winner, per_group)  # (B, G, E/G)
        share = chosen.to(scores.dtype).mean(0)
        self.balance_loss = per_group * (share * scores.mean(0)).sum(-1).mean()
        self.load = share.detach().flatten()
        self.used = chosen.flatten(1).bool()
