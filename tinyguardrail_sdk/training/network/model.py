"""TinyGuardrail, whole.

- Embeddings see tokens, raw characters and the six detectors of *every* text of the batch.
- A router decides from them whether the fast branch is enough.
- The fast branch: four narrow layers. The deep branch: eight layers of eight experts, two active.
- Training runs both branches on every text; inference runs the one that the router chose.
- The 16-bit response is emitted by the network in the layout of `tinyguardrail_sdk.bits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from tinyguardrail_sdk.bits import (
    BLOCKED_SHIFT,
    CONFIDENCE_MAX,
    DEEP_SHIFT,
    LABEL_SHIFT,
    PATTERN_SHIFTS,
)
from tinyguardrail_sdk.training.loss_config import DistillConfig, LossConfig
from tinyguardrail_sdk.training.losses import (
    distillation_loss,
    focal_loss,
    router_loss,
)
from tinyguardrail_sdk.training.network.branches import Router, deep_branch, fast_branch, tie
from tinyguardrail_sdk.training.network.config import NetworkConfig
from tinyguardrail_sdk.training.network.embeddings import ThreatEmbeddings
from tinyguardrail_sdk.training.network.experts import MixtureOfExperts

Branches = Literal["both", "fast", "deep", "routed"]


@dataclass(frozen=True)
class RouteInfo:
    """What each part said.

    Attributes:
        fast_logits: (B, labels), or None when the fast branch did not run.
        deep_logits: (B, labels), or None when the deep branch did not run.
        route_logits: (B,) logit that the fast branch is enough.
        fast_share: Share of the batch that the router sent to the fast branch.
        expert_load: (deep layers, experts) share of texts per expert, of the last deep pass.
        expert_use: (deep layers, B, experts) bool, the experts of each text of that pass.
        losses: The weighted terms of `loss`, detached, by name.
    """

    fast_logits: Tensor | None
    deep_logits: Tensor | None
    route_logits: Tensor
    fast_share: float
    expert_load: Tensor
    expert_use: Tensor
    losses: dict[str, Tensor]


@dataclass(frozen=True)
class Outputs:
    """The eight outputs of a forward pass.

    Attributes:
        logits: (B, labels) of the branch that the router chose (of the one that ran, if one ran).
        loss: Scalar objective, or None without labels.
        confidence: (B,) probability of the most probable label.
        bit_response: (B,) int64, the 16-bit word with "blocked" meaning "not benign".
        route_decision: (B,) bool, true where the deep branch answers.
        route_info: What each part said.
        pattern_scores: (B, patterns) the detector scores that went in.
        aux_loss: Load-balancing loss, mean over the deep layers; 0 without deep branch.
    """

    logits: Tensor
    loss: Tensor | None
    confidence: Tensor
    bit_response: Tensor
    route_decision: Tensor
    route_info: RouteInfo
    pattern_scores: Tensor
    aux_loss: Tensor


class TinyGuardrail(nn.Module):
    """The dual-branch network."""

    def __init__(
        self,
        config: NetworkConfig,
        losses: LossConfig | None = None,
        distillation: DistillConfig | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.losses = losses or LossConfig()
        self.distillation = distillation or DistillConfig()
        self.embeddings = ThreatEmbeddings(config)
        self.router = Router(config)
        self.fast = fast_branch(config)
        self.deep = deep_branch(config)
        if config.tied:
            tie(self.fast, self.deep)
        self.apply(_initialise)
        self.embeddings.characters.clear_unreached()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        char_ids: Tensor,
        pattern_scores: Tensor,
        segment_ids: Tensor,
        labels: Tensor | None = None,
        *,
        teacher_logits: Tensor | None = None,
        branches: Branches = "both",
        perturbation: Tensor | None = None,
    ) -> Outputs:
        """Judge a batch.

        Args:
            input_ids: (B, T) token ids, `[CLS]` first, 0-padded.
            attention_mask: (B, T), non-zero at real tokens.
            char_ids: (B, T, C) raw-character ids aligned to the tokens.
            pattern_scores: (B, patterns) detector scores in [0, 1].
            segment_ids: (B,) index of the source, plus the number of sources in a decoded view.
            labels: (B,) class ids; gives `loss`.
            teacher_logits: (B, labels) what a teacher answers; with labels, a term of `loss`.
            branches: Which branches run: both, one, or per text the one that the router chose.
            perturbation: (B, T, H) added to the embedded text, zero at padding.
        """
        mask = attention_mask.bool()
        embedded = self.embeddings(input_ids, char_ids, pattern_scores, segment_ids)
        if perturbation is not None:
            embedded = embedded + perturbation
        # The router predicts the fast branch; it must not bend the embeddings to do so.
        route_logits = self.router(embedded.detach(), mask, pattern_scores)
        to_deep = _decision(route_logits, branches)
        fast = deep = None
        if branches == "routed":
            logits = self._routed(embedded, mask, pattern_scores, to_deep)
        else:
            if branches != "deep":
                fast = self.fast(embedded, mask, pattern_scores)
            if branches != "fast":
                deep = self.deep(embedded, mask, pattern_scores)
            logits = _select(fast, deep, to_deep)
        aux_loss, load, use = self._expert_statistics(embedded, branches, to_deep)
        terms = {} if labels is None else self._terms(fast, deep, route_logits, aux_loss, labels)
        if terms and teacher_logits is not None:
            terms["teacher"] = self._teacher_term(fast, deep, teacher_logits)
        probability = logits.softmax(-1)
        confidence, label = probability.max(-1)
        return Outputs(
            logits=logits,
            loss=torch.stack(list(terms.values())).sum() if terms else None,
            confidence=confidence,
            bit_response=_pack(label, to_deep, pattern_scores > 0, confidence),
            route_decision=to_deep,
            route_info=RouteInfo(
                fast_logits=fast,
                deep_logits=deep,
                route_logits=route_logits,
                fast_share=float((~to_deep).float().mean()),
                expert_load=load,
                expert_use=use,
                losses={name: term.detach() for name, term in terms.items()},
            ),
            pattern_scores=pattern_scores,
            aux_loss=aux_loss,
        )

    def parameter_count(self) -> int:
        """Number of trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())

    def expert_layers(self) -> list[MixtureOfExperts]:
        """The mixture of every deep layer, from the bottom up."""
        return [m for m in self.deep.modules() if isinstance(m, MixtureOfExperts)]

    def _routed(self, embedded: Tensor, mask: Tensor, patterns: Tensor, to_deep: Tensor) -> Tensor:
        logits = embedded.new_zeros(len(embedded), self.config.labels)
        for branch, chosen in ((self.fast, ~to_deep), (self.deep, to_deep)):
            if chosen.any():
                answer = branch(embedded[chosen], mask[chosen], patterns[chosen])
                logits[chosen] = answer.to(logits.dtype)
        return logits

    def _expert_statistics(
        self, like: Tensor, branches: Branches, to_deep: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        if branches == "fast" or (branches == "routed" and not to_deep.any()):
            # The layers still hold what an earlier batch left there.
            nothing = like.new_zeros(0, self.config.experts)
            return like.new_zeros(()), nothing, nothing
        layers = self.expert_layers()
        balance = torch.stack([layer.balance_loss.to(like.device) for layer in layers]).mean()
        load, use = ([getattr(layer, name) for layer in layers] for name in ("load", "used"))
        return balance, torch.stack(load), torch.stack(use)

    def _terms(
        self,
        fast: Tensor | None,
        deep: Tensor | None,
        route_logits: Tensor,
        aux_loss: Tensor,
        labels: Tensor,
    ) -> dict[str, Tensor]:
        terms = {}
        if fast is not None:
            terms["fast"] = focal_loss(fast, labels, self.losses)
            terms["router"] = self.losses.router * router_loss(route_logits, fast, labels)
        if deep is not None:
            terms["deep"] = focal_loss(deep, labels, self.losses)
            terms["balance"] = self.losses.balance * aux_loss
        if fast is not None and deep is not None and self.losses.distillation:
            terms["distillation"] = self.losses.distillation * distillation_loss(fast, deep)
        return terms

    def _teacher_term(
        self, fast: Tensor | None, deep: Tensor | None, teacher_logits: Tensor
    ) -> Tensor:
        distances = [
            distillation_loss(branch, teacher_logits, self.distillation.temperature)
            for branch in (fast, deep)
            if branch is not None
        ]
        return self.distillation.weight * torch.stack(distances).sum()


def _decision(route_logits: Tensor, branches: Branches) -> Tensor:
    if branches == "fast":
        return torch.zeros_like(route_logits, dtype=torch.bool)
    if branches == "deep":
        return torch.ones_like(route_logits, dtype=torch.bool)
    return route_logits < 0


def _select(fast: Tensor | None, deep: Tensor | None, to_deep: Tensor) -> Tensor:
    if fast is None or deep is None:
        chosen = deep if fast is None else fast
        assert chosen is not None
        return chosen
    return torch.where(to_deep[:, None], deep, fast)


def _pack(label: Tensor, deep: Tensor, flags: Tensor, confidence: Tensor) -> Tensor:
    word = label << LABEL_SHIFT
    word |= (label != 0).long() << BLOCKED_SHIFT
    word |= deep.long() << DEEP_SHIFT
    for column, shift in enumerate(PATTERN_SHIFTS):
        word |= flags[:, column].long() << shift
    return word | (confidence * CONFIDENCE_MAX).round().long()


def _initialise(module: nn.Module) -> None:
    """Normal 0.02 for matrices, zero for biases, as in BERT; LayerNorm keeps 1 and 0."""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
        if module.padding_idx is not None:
            with torch.no_grad():
                module.weight[module.padding_idx].zero_()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block, then the mode from before."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def trainable_groups(model: TinyGuardrail) -> dict[str, Iterable[nn.Parameter]]:
    """Parameters by role: `transferred` fits the pretrained base, `new` starts from nothing."""
    fresh = ("characters", "patterns", "head", "router", "gate")
    groups: dict[str, list[nn.Parameter]] = {"transferred": [], "new": []}
    for name, parameter in model.named_parameters():
        groups["new" if any(part in name for part in fresh) else "transferred"].append(parameter)
    return dict(groups)
