"""What stays of a layer that is made smaller: its strongest neurons, its strongest heads."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def strongest_neurons(up: Tensor, down: Tensor, count: int) -> Tensor:
    """The `count` neurons whose way in (N, H) and way out (H, N) weigh most, in their order."""
    strength: Tensor = up.norm(dim=1) * down.norm(dim=0)
    return strength.topk(count).indices.sort().values


def strongest_heads(value: Tensor, output: Tensor, heads: int, count: int) -> Tensor:
    """Numbers of the `count` heads that can write most, in their order.

    Whatever a head attends to, it writes the product of its output and value maps times that (the
    OV circuit of Elhage et al., "A Mathematical Framework for Transformer Circuits", 2021). The
    Frobenius norm of the product is its strength; it needs no data. That many heads can go at
    little cost is from Michel et al., "Are Sixteen Heads Really Better than One?", 2019.

    Args:
        value: (heads * W, H), W the width of a head.
        output: (H, heads * W).
        heads: How many there are.
        count: How many to keep.
    """
    hidden = len(output)
    ways_in = value.reshape(heads, -1, hidden)  # (heads, W, H)
    ways_out = output.reshape(hidden, heads, -1).transpose(0, 1)  # (heads, H, W)
    strength: Tensor = (ways_out @ ways_in).flatten(1).norm(dim=1)
    return strength.topk(count).indices.sort().values


def prune_heads(
    weights: Mapping[str, Tensor], heads: int, count: int
) -> tuple[dict[str, Tensor], list[int]]:
    """Leave the strongest heads of an attention layer.

    The value bias of a head is written in full whatever it attends to, since attention sums to 1:
    what the others wrote so goes into the output bias.

    Args:
        weights: `state_dict` of an `Attention`.
        heads: How many it has.
        count: How many to keep.

    Returns:
        The `state_dict` of the smaller one, and the numbers of the heads that it keeps.
    """
    width = len(weights["query.weight"])
    value, output = weights["key_value.weight"][width:], weights["output.weight"]
    kept = strongest_heads(value, output, heads, count)
    places = torch.arange(width).view(heads, -1)
    rows = places[kept].flatten()
    gone = torch.ones(heads, dtype=torch.bool).index_fill(0, kept, False)
    left = places[gone].flatten()
    packed = torch.cat([rows, rows + width])
    smaller = {
        **{f"query.{kind}": weights[f"query.{kind}"][rows] for kind in ("weight", "bias")},
        **{
            f"key_value.{kind}": weights[f"key_value.{kind}"][packed] for kind in ("weight", "bias")
        },
        "output.weight": output[:, rows],
        "output.bias": weights["output.bias"]
        + output[:, left] @ weights["key_value.bias"][width:][left],
    }
    return smaller, kept.tolist()
