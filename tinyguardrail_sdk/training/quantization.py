"""The numerics of the shipped INT8 files: `prepare` to train with them, `convert` to hold them.

Both go by one list, `quantized_layers`.

Weights: symmetric per output channel, 7 bits in an 8-bit word. Without VNNI the engine's kernel
adds two products in 16 bits, which 8-bit weights can saturate; 63 * 255 * 2 fits. Activations:
unsigned 8-bit, asymmetric, scaled per text at run time (`DynamicQuantizeLinear` of ONNX). The token
table: 8 bits, a scale a row.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn import functional

from tinyguardrail_sdk.errors import CheckpointError
from tinyguardrail_sdk.training.network.model import TinyGuardrail

WEIGHT_LIMIT = 63
ROW_LIMIT = 127  # rows are looked up, never multiplied: all eight bits
ACTIVATION_LEVELS = 255

_LINEARS = {"project", "query", "key_value", "output", "up", "down", "dense"}
_TABLE, _FLOATING = "embeddings.tokens", "router."


def quantize_weight(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Quantise a weight matrix (out, in): int8 in [-63, 63], and float32 scales (out,)."""
    return _quantize(weight, WEIGHT_LIMIT)


def quantize_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Quantise rows (..., H) of an embedding table: int8, and one float32 scale a row (...)."""
    return _quantize(rows, ROW_LIMIT)


def dequantize(values: Tensor, scale: Tensor) -> Tensor:
    """What int8 `values` (..., in) with one `scale` a row (...) stand for, as float32."""
    return values * scale[..., None]


def quantized_layers(model: TinyGuardrail) -> dict[str, nn.Linear | nn.Embedding]:
    """By name, the layers that become INT8.

    Token table, projection of the character CNN, and of the branches attention, feed-forwards and
    the first map of the head. The rest is small, or decides (router, gates): it stays in FP32.
    """
    return {
        name: layer
        for name, layer in model.named_modules()
        if isinstance(layer, (nn.Linear, nn.Embedding))
        and (name == _TABLE or name.rpartition(".")[2] in _LINEARS)
        and not name.startswith(_FLOATING)
    }


class FakeQuantLinear(nn.Linear):
    """A linear layer that computes what the INT8 engine will, with straight-through gradients."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (B, ..., in) to (B, ..., out); each row of the batch has its own scale."""
        weight = dequantize(*quantize_weight(self.weight)).to(self.weight.dtype)
        return functional.linear(
            _through(input, _fake_activation(input.detach())),
            _through(self.weight, weight),
            self.bias,
        )


class FakeQuantEmbedding(nn.Embedding):
    """An embedding that looks up what the INT8 table will hold, with straight-through gradients."""

    def forward(self, input: Tensor) -> Tensor:
        """Map ids (...) to rows (..., H)."""
        rows = super().forward(input)
        return _through(rows, dequantize(*quantize_rows(rows)))


class Int8Linear(nn.Linear):
    """A linear layer of int8 weights (out, in), a scale (out,) and a float bias (out,)."""

    scale: Tensor

    def __init__(self, values: Tensor, scale: Tensor, bias: Tensor) -> None:
        super().__init__(values.shape[1], len(values), device="meta")
        self.weight = nn.Parameter(values, requires_grad=False)
        self.bias = nn.Parameter(bias.detach())
        self.register_buffer("scale", scale)

    @classmethod
    def of(cls, linear: nn.Linear) -> Int8Linear:
        """Quantise a linear layer that has a bias, which the two share."""
        return cls(*quantize_weight(linear.weight), linear.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Map (B, ..., in) to (B, ..., out); each row of the batch has its own scale."""
        weight = dequantize(self.weight, self.scale)
        return functional.linear(_fake_activation(input), weight, self.bias)

    def chunk(self, parts: int) -> list[Int8Linear]:
        """Layers of equal shares of the outputs; they share its storage."""
        shares = (tensor.detach().chunk(parts) for tensor in (self.weight, self.scale, self.bias))
        return [Int8Linear(*share) for share in zip(*shares, strict=True)]

    def floating(self) -> nn.Linear:
        """The same with float weights."""
        linear = nn.Linear(self.in_features, self.out_features, device="meta")
        linear.weight = nn.Parameter(dequantize(self.weight, self.scale))
        linear.bias = self.bias
        return linear


class Int8Embedding(nn.Embedding):
    """An embedding table of int8 rows (V, H) with a scale (V,)."""

    scale: Tensor

    def __init__(self, values: Tensor, scale: Tensor, padding: int | None) -> None:
        super().__init__(len(values), values.shape[1], padding, device="meta")
        self.weight = nn.Parameter(values, requires_grad=False)
        self.register_buffer("scale", scale)

    @classmethod
    def of(cls, table: nn.Embedding) -> Int8Embedding:
        """Quantise a table."""
        return cls(*quantize_rows(table.weight), table.padding_idx)

    def forward(self, input: Tensor) -> Tensor:
        """Map ids (...) to rows (..., H)."""
        return dequantize(super().forward(input), self.scale[input])

    def floating(self) -> nn.Embedding:
        """The same with float rows."""
        table = nn.Embedding(
            self.num_embeddings, self.embedding_dim, self.padding_idx, device="meta"
        )
        table.weight = nn.Parameter(dequantize(self.weight, self.scale))
        return table


def prepare(model: TinyGuardrail) -> None:
    """Make a network compute as its INT8 export, in place; its parameters stay and learn."""
    for name, layer in quantized_layers(model).items():
        fake: FakeQuantEmbedding | FakeQuantLinear
        if isinstance(layer, nn.Embedding):
            fake = FakeQuantEmbedding(
                layer.num_embeddings, layer.embedding_dim, layer.padding_idx, device="meta"
            )
        else:
            fake = FakeQuantLinear(layer.in_features, layer.out_features, device="meta")
            fake.bias = layer.bias
        fake.weight = layer.weight
        _put(model, name, fake)


def convert(model: TinyGuardrail, leaving: Collection[nn.Module] = ()) -> None:
    """Make a network, prepared or not, hold the INT8 weights that its export writes; in place.

    Args:
        model: Cannot be trained afterwards; see `revert`.
        leaving: Layers that stay as they are, since they are to be stored in another way. Another
            call converts them too.

    Raises:
        CheckpointError: A layer, left or not, cannot be quantised; the message names it, and
            nothing was converted.
    """
    layers = quantized_layers(model)
    for name, layer in layers.items():
        if not all(each.isfinite().all() for each in layer.parameters()):
            raise CheckpointError(
                f"{name}: cannot be quantised, since a weight of it is no number; "
                "export another step"
            )
    for name, layer in layers.items():
        if isinstance(layer, (Int8Linear, Int8Embedding)) or layer in leaving:
            continue
        held: Int8Embedding | Int8Linear
        if isinstance(layer, nn.Embedding):
            held = Int8Embedding.of(layer)
        else:
            held = Int8Linear.of(layer)
        _put(model, name, held)


def revert(model: TinyGuardrail) -> None:
    """Make a converted network one of float weights of the same values, to train on; in place."""
    for name, layer in quantized_layers(model).items():
        if isinstance(layer, (Int8Linear, Int8Embedding)):
            _put(model, name, layer.floating())


def _put(model: TinyGuardrail, name: str, layer: nn.Module) -> None:
    owner, _, child = name.rpartition(".")
    setattr(model.get_submodule(owner), child, layer)


def _quantize(rows: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    scale = rows.detach().abs().amax(-1).clamp(min=1e-8) / limit
    values = (rows.detach() / scale[..., None]).round().to(torch.int8)
    return values, scale.float()


def _through(value: Tensor, quantized: Tensor) -> Tensor:
    return value + (quantized - value).detach()


def _fake_activation(x: Tensor) -> Tensor:
    rows = x.flatten(1)
    low = rows.amin(1).clamp(max=0.0)
    high = rows.amax(1).clamp(min=0.0)
    shape = (-1, *([1] * (x.dim() - 1)))
    scale = ((high - low) / ACTIVATION_LEVELS).clamp(min=1e-8).view(shape)
    zero = (-low.view(shape) / scale).round()
    levels = ((x / scale).round() + zero).clamp(0, ACTIVATION_LEVELS)
    return (levels - zero) * scale
