"""The numerics of the shipped INT8 files, and the same numerics as a differentiable torch module.

Weights: symmetric per output channel, 7 bits in an 8-bit word. Without VNNI the engine's kernel
adds two products in 16 bits, which 8-bit weights can saturate; 63 * 255 * 2 fits. Activations:
unsigned 8-bit, asymmetric, scaled per text at run time (`DynamicQuantizeLinear` of ONNX).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from tinyguardrail_sdk.training.network.branches import Branch

WEIGHT_LIMIT = 63
ROW_LIMIT = 127  # rows are looked up, never multiplied: all eight bits
ACTIVATION_LEVELS = 255


def quantize_weight(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Quantise a weight matrix.

    Args:
        weight: (out, in).

    Returns:
        int8 values (out, in) in [-63, 63] and float32 scales (out,).
    """
    scale = weight.detach().abs().amax(1).clamp(min=1e-8) / WEIGHT_LIMIT
    values = (weight.detach() / scale[:, None]).round().to(torch.int8)
    return values, scale.float()


def quantize_rows(table: Tensor) -> tuple[Tensor, Tensor]:
    """Quantise an embedding table (V, H) to int8 with one float32 scale (V,) a row."""
    scale = table.detach().abs().amax(1).clamp(min=1e-8) / ROW_LIMIT
    return (table.detach() / scale[:, None]).round().to(torch.int8), scale.float()


class FakeQuantLinear(nn.Linear):
    """A linear layer that computes what the INT8 engine will, with straight-through gradients."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (B, ..., in) to (B, ..., out); each row of the batch has its own scale."""
        return functional.linear(
            _through(input, _fake_activation(input.detach())),
            _through(self.weight, _fake_weight(self.weight.detach())),
            self.bias,
        )


def prepare(branch: Branch) -> None:
    """Make every linear layer that the export quantises fake-quantised, in place."""
    for owner, name, linear in quantized_linears(branch):
        fake = FakeQuantLinear(linear.in_features, linear.out_features, device="meta")
        fake.weight, fake.bias = linear.weight, linear.bias
        setattr(owner, name, fake)


def quantized_linears(branch: Branch) -> list[tuple[nn.Module, str, nn.Linear]]:
    """The linear layers that become INT8: projections, feed-forwards and the head's first map."""
    names = {"query", "key_value", "output", "up", "down", "dense"}
    return [
        (owner, name, child)
        for owner in branch.modules()
        for name, child in owner.named_children()
        if name in names and isinstance(child, nn.Linear)
    ]


def _through(value: Tensor, quantized: Tensor) -> Tensor:
    return value + (quantized - value).detach()


def _fake_weight(weight: Tensor) -> Tensor:
    values, scale = quantize_weight(weight)
    return values.to(weight.dtype) * scale[:, None].to(weight.dtype)


def _fake_activation(x: Tensor) -> Tensor:
    rows = x.flatten(1)
    low = rows.amin(1).clamp(max=0.0)
    high = rows.amax(1).clamp(min=0.0)
    shape = (-1, *([1] * (x.dim() - 1)))
    scale = ((high - low) / ACTIVATION_LEVELS).clamp(min=1e-8).view(shape)
    zero = (-low.view(shape) / scale).round()
    levels = ((x / scale).round() + zero).clamp(0, ACTIVATION_LEVELS)
    return (levels - zero) * scale
