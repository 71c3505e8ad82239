"""Why the export writes norms and attention as it does: the engine's kernels side by side.

`python -m benchmarks.operators`; the same block several times in a row, times per block.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.graphs import HIDDEN, int8_linear, layer_norm, runner, seed
from benchmarks.timing import interleaved, print_json, print_table
from tinyguardrail_sdk.training.export.graph import CONTRIB, Graph
from tinyguardrail_sdk.training.quantization import Int8Linear

LENGTHS = (32, 64, 128, 256)
BLOCKS = 8
HEADS = 12

Block = Callable[[Graph, str], str]


# -- residual and norm ---------------------------------------------------------------------------


def fused_norm(graph: Graph, x: str) -> str:
    """The engine's fused residual and norm."""
    norm = layer_norm()
    weights = graph.constant(norm.weight), graph.constant(norm.bias)
    return graph.op("SkipLayerNormalization", x, "x", *weights, domain=CONTRIB, epsilon=norm.eps)


def standard_norm(graph: Graph, x: str) -> str:
    """The standard operator after a sum."""
    norm = layer_norm()
    weights = graph.constant(norm.weight), graph.constant(norm.bias)
    return graph.op("LayerNormalization", graph.op("Add", x, "x"), *weights, epsilon=norm.eps)


def batch_of_rows(graph: Graph, x: str) -> str:
    """InstanceNormalization with the tokens as a batch, which takes two reshapes."""
    norm = layer_norm()
    rows = graph.op("Reshape", graph.op("Add", x, "x"), graph.integers(-1, 1, HIDDEN))
    units = (graph.constant(value((1,), np.float32)) for value in (np.ones, np.zeros))
    normal = graph.op("InstanceNormalization", rows, *units, epsilon=norm.eps)
    normal = graph.op("Reshape", normal, graph.integers(1, -1, HIDDEN))
    scaled = graph.op("Mul", normal, graph.constant(norm.weight))
    return graph.op("Add", scaled, graph.constant(norm.bias))


def channels_of_rows(graph: Graph, x: str) -> str:
    """What ships: the tokens as channels."""
    units = graph.units(graph.op("Shape", "x", start=1, end=2))
    return graph.residual_norm(x, "x", layer_norm(), units)


# -- projections and attention -------------------------------------------------------------------


def three_products(graph: Graph, x: str) -> str:
    """A product a role, then attention in floats."""
    source = graph.quantize(x)
    return _attention(graph, [graph.linear(source, layer) for layer in _projections()])


def one_product(graph: Graph, x: str) -> str:
    """One product for all roles, then split."""
    packed = graph.linear(graph.quantize(x), int8_linear(HIDDEN, 3 * HIDDEN))
    sizes = graph.integers(HIDDEN, HIDDEN, HIDDEN)
    return _attention(graph, graph.op_many("Split", 3, packed, sizes, axis=2))


def one_operator(graph: Graph, x: str) -> str:
    """What ships: QAttention."""
    return graph.self_attention(graph.quantize(x), _projections(), HEADS)


def _projections() -> list[Int8Linear]:
    return [int8_linear(HIDDEN, HIDDEN) for _ in range(3)]


def _attention(graph: Graph, parts: Sequence[str]) -> str:
    return graph.op("MultiHeadAttention", *parts, domain=CONTRIB, num_heads=HEADS)


# -- comparison ----------------------------------------------------------------------------------

TABLES: Mapping[str, Sequence[Block]] = {
    "norm": (fused_norm, standard_norm, batch_of_rows, channels_of_rows),
    "attention": (three_products, one_product, one_operator),
}


def main() -> None:
    """Measure and print."""
    results = {name: compare(blocks) for name, blocks in TABLES.items()}
    print_json("operators", {"us": results})


def compare(blocks: Sequence[Block]) -> dict[int, dict[str, float]]:
    """Microseconds a block by tokens and name, printed as a table."""
    seed()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        runners = {
            block.__name__: runner(partial(_row, block), Path(folder) / f"{block.__name__}.onnx")
            for block in blocks
        }
        for tokens in LENGTHS:
            times = interleaved({n: [at(tokens)] for n, at in runners.items()}, rounds=60)
            results[tokens] = {n: 1e3 * t.median / BLOCKS for n, t in times.items()}
    print("microseconds a block\n")
    print_table(["tokens", *runners], [[t, *row.values()] for t, row in results.items()])
    print()
    return results


def _row(block: Block, graph: Graph) -> str:
    x = "x"
    for _ in range(BLOCKS):
        x = block(graph, x)
    return x


if __name__ == "__main__":
    main()
