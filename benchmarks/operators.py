"""Why the export writes LayerNorm as InstanceNormalization: the engine's kernels side by side.

`python -m benchmarks.operators`; eight norms in a row, times per norm.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from torch import nn

from benchmarks.graphs import layer_norm, runner, seed
from benchmarks.timing import interleaved, print_json, print_table
from tinyguardrail_sdk.training.export.graph import CONTRIB, Graph

LENGTHS = (32, 64, 128, 256)
NORMS = 8


def fused(graph: Graph, x: str, norm: nn.LayerNorm) -> str:
    """The engine's fused residual and norm."""
    weights = graph.constant(norm.weight), graph.constant(norm.bias)
    return graph.op("SkipLayerNormalization", x, "x", *weights, domain=CONTRIB, epsilon=norm.eps)


def standard(graph: Graph, x: str, norm: nn.LayerNorm) -> str:
    """The standard operator after a sum."""
    weights = graph.constant(norm.weight), graph.constant(norm.bias)
    return graph.op("LayerNormalization", graph.op("Add", x, "x"), *weights, epsilon=norm.eps)


def instance(graph: Graph, x: str, norm: nn.LayerNorm) -> str:
    """What ships."""
    return graph.residual_norm(x, "x", norm)


def main() -> None:
    """Measure and print."""
    seed()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        runners = {}
        for write in (fused, standard, instance):

            def build(graph: Graph, write=write) -> str:  # type: ignore[no-untyped-def]
                x = "x"
                for _ in range(NORMS):
                    x = write(graph, x, layer_norm())
                return x

            runners[write.__name__] = runner(build, Path(folder) / f"{write.__name__}.onnx")
        for tokens in LENGTHS:
            times = interleaved({n: [at(tokens)] for n, at in runners.items()}, rounds=60)
            results[tokens] = {n: 1e3 * t.median / NORMS for n, t in times.items()}
    print("microseconds a norm\n")
    print_table(["tokens", *runners], [[t, *row.values()] for t, row in results.items()])
    print_json("operators", {"us": results})


if __name__ == "__main__":
    main()
