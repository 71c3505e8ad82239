"""The 4-bit form of the two largest parts, experts and token table: an option of the export.

Weights in blocks share a scale, as the engine's `MatMulNBits` and `GatherBlockQuantized` read
them. It saves space (a third of the checkpoint), not time: activations of a block product are
rounded to 8 bits inside the operator. Rounding is to the nearest, without training.

What makes no whole blocks stays in INT8, and `sort_out` names it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.export.graph import CONTRIB, Graph, Quantized
from tinyguardrail_sdk.training.network.model import TinyGuardrail

BLOCK = 64  # numbers that share a scale
_LIMIT = 7  # symmetric: -8 is not used
_ZERO = 8  # what stands for 0 among 0..15
_INT8_ACTIVATIONS = 4  # the operator's `accuracy_level`


class FourBitGraph(Graph):
    """A graph that stores some linear layers, and every table of rows, in 4 bits where they fit.

    Args:
        layers: The linear layers.
        parent: The graph around this one.
    """

    def __init__(self, layers: Collection[nn.Linear], parent: Graph | None = None) -> None:
        super().__init__(parent)
        self._layers = layers

    def linear(self, x: Quantized, layer: nn.Linear) -> str:
        """Product with a linear layer, in 4 bits where it is one of the chosen and fits."""
        if layer not in self._layers or not _fits(layer.weight):
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

    def rows(self, table: Tensor, ids: str) -> str:
        """Rows (..., H) of an embedding table (V, H)."""
        if not _fits(table):
            return super().rows(table, ids)
        packed, scales = pack_blocks(table)
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
        return FourBitGraph(self._layers, self)


def expert_linears(model: TinyGuardrail) -> set[nn.Linear]:
    """Every linear layer of every expert."""
    return {
        module
        for layer in model.expert_layers()
        for module in layer.experts.modules()
        if isinstance(module, nn.Linear)
    }


def sort_out(model: TinyGuardrail) -> tuple[list[str], list[str]]:
    """What the 4-bit form is for, by name, with `*` for the number of an expert.

    Returns:
        What it can hold; and what not and therefore stays in INT8, with the reason.
    """
    experts = expert_linears(model)
    held, stays = set(), set()
    for name, module in model.named_modules():
        if module in experts or module is model.embeddings.tokens:
            assert isinstance(module, (nn.Linear, nn.Embedding))
            shown = re.sub(r"\.experts\.\d+\.", ".experts.*.", name)
            if _fits(module.weight):
                held.add(shown)
            else:
                stays.add(
                    f"{shown} ({module.weight.shape[1]} numbers a row, no multiple of {BLOCK})"
                )
    return sorted(held), sorted(stays)


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
