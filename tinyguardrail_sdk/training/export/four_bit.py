"""The 4-bit form of the two largest parts, experts and token table: an option of the export.

They are left out of the conversion to INT8. Weights in blocks share a scale, as the engine's
`MatMulNBits` and `GatherBlockQuantized` read them. It saves space (a third of the checkpoint), not
time: activations of a block product are rounded to 8 bits inside the operator. Rounding is to the
nearest, without training.

What makes no whole blocks stays in INT8, and `sort_out` names it.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.export.graph import CONTRIB, Graph, Quantized
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.quantization import Int8Embedding, Int8Linear, quantized_layers

BLOCK = 64  # numbers that share a scale
_LIMIT = 7  # symmetric: -8 is not used
_ZERO = 8  # what stands for 0 among 0..15
_INT8_ACTIVATIONS = 4  # the operator's `accuracy_level`


class FourBitGraph(Graph):
    """A graph that stores in 4 bits what was not converted to INT8."""

    def linear(self, x: Quantized, layer: nn.Linear) -> str:
        """Product with a linear layer."""
        if isinstance(layer, Int8Linear):
            return super().linear(x, layer)
        packed, scales = pack_blocks(layer.weight)
        return self.op(
            "MatMulNBits",
            x.plain,
            self.constant(packed),
            self.constant(scales.reshape(-1)),
            "",  # the zero point is the middle
            "",  # no reordering
            self.constant(layer.bias),
            domain=CONTRIB,
            K=layer.in_features,
            N=layer.out_features,
            bits=4,
            block_size=BLOCK,
            accuracy_level=_INT8_ACTIVATIONS,
        )

    def rows(self, table: nn.Embedding, ids: str) -> str:
        """Rows (..., H) of an embedding table (V, H)."""
        if isinstance(table, Int8Embedding):
            return super().rows(table, ids)
        packed, scales = pack_blocks(table.weight)
        return self.op(
            "GatherBlockQuantized",
            self.constant(packed.reshape(len(packed), -1)),
            ids,
            self.constant(scales),
            domain=CONTRIB,
            bits=4,
            block_size=BLOCK,
            gather_axis=0,
            quantize_axis=1,
        )

    def _nested(self) -> Graph:
        return FourBitGraph(self)


def sort_out(model: TinyGuardrail) -> tuple[list[nn.Module], list[str]]:
    """Token table and experts, which the 4-bit form is for.

    Returns:
        Those that it can hold; and the names of those that it cannot and that therefore become
        INT8, each with the reason and with `*` for the number of an expert.
    """
    held: list[nn.Module] = []
    stays = set()
    for name, layer in quantized_layers(model).items():
        if layer is not model.embeddings.tokens and ".experts." not in name:
            continue
        if _fits(layer.weight):
            held.append(layer)
        else:
            shown = re.sub(r"\.experts\.\d+\.", ".experts.*.", name)
            stays.add(f"{shown} ({layer.weight.shape[1]} numbers a row, no multiple of {BLOCK})")
    return held, sorted(stays)


def _fits(weight: Tensor) -> bool:
    return weight.shape[1] % BLOCK == 0


def pack_blocks(weight: Tensor) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Round a matrix to 4 bits.

    Args:
        weight: (out, in), `in` a multiple of `BLOCK`.

    Returns:
        (out, blocks, BLOCK / 2) bytes, the earlier number in the lower half; (out, blocks) scales.

    Raises:
        InputError: `in` is no multiple of `BLOCK`.
    """
    if not _fits(weight):
        raise InputError(
            f"4-bit weights come in blocks of {BLOCK}: a layer with {weight.shape[1]} inputs "
            "cannot be stored so; export without --four-bit"
        )
    values = weight.detach().float().cpu().numpy()
    blocks = values.reshape(len(values), -1, BLOCK)
    scales = np.maximum(np.abs(blocks).max(-1), 1e-8).astype(np.float32) / np.float32(_LIMIT)
    whole = (np.rint(blocks / scales[..., None]) + _ZERO).astype(np.uint8)
    return whole[..., 0::2] | whole[..., 1::2] << 4, scales


def unpack_blocks(packed: NDArray[np.uint8], scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """The matrix (out, in) that packed bytes and scales stand for; see `pack_blocks`."""
    halves = np.stack([packed & 15, packed >> 4], -1).astype(np.float32) - _ZERO
    blocks = halves.reshape(*packed.shape[:2], BLOCK) * scales[..., None]
    whole: NDArray[np.float32] = blocks.reshape(len(packed), -1)
    return whole
