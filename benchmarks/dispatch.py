"""The shapes that were weighed for speed before training, with random weights.

`python -m benchmarks.dispatch [--rounds 30]`. Deep: how to run 2 of 8 experts. Fast: width,
pooling and read-out. Times are of one branch without embeddings, relative to eight (deep) or four
(fast) dense MiniLM layers.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from onnx import TensorProto

from benchmarks.graphs import HIDDEN, int8_linear, layer_norm, linear, runner, seed
from benchmarks.timing import interleaved, print_json, print_table
from tinyguardrail_sdk.training.export.graph import CONTRIB, Graph, Quantized

LENGTHS = (32, 64, 128, 256)
EXPERTS, GROUPS, EXPERT_FFN, DENSE_FFN, HEADS = 8, 2, 768, 1536, 12

FeedForward = Callable[[Graph, str], str]


# -- layers --------------------------------------------------------------------------------------


def layer(g: Graph, x: str, feed_forward: FeedForward, *, readout: bool = False) -> str:
    """One encoder layer; with `readout` for the first token only."""
    roles = [int8_linear(HIDDEN, HIDDEN) for _ in range(3)]
    if readout:
        queries = g.op("Slice", x, g.integers(0), g.integers(1), g.integers(1))
        source = g.quantize(x)
        sources = (g.quantize(queries), source, source)
        parts = [g.linear(q, role) for q, role in zip(sources, roles, strict=True)]
        context = g.op("MultiHeadAttention", *parts, domain=CONTRIB, num_heads=HEADS)
    else:
        queries, context = x, g.self_attention(g.quantize(x), roles, HEADS)
    attended = g.linear(g.quantize(context), int8_linear(HIDDEN, HIDDEN))
    units = g.units(g.op("Shape", queries, start=1, end=2))
    x = g.residual_norm(attended, queries, layer_norm(), units)
    return g.residual_norm(feed_forward(g, x), x, layer_norm(), units)


def stack(
    feed_forward: FeedForward, layers: int, *, readout: bool, halve_after: int = 0
) -> FeedForward:
    """Several layers, optionally with the text halved after one of them."""

    def build(g: Graph, x: str) -> str:
        for number in range(1, layers + 1):
            x = layer(g, x, feed_forward, readout=readout and number == layers)
            if number == halve_after:
                channels = g.op("Transpose", x, perm=[0, 2, 1])
                pooled = g.op("AveragePool", channels, kernel_shape=[2], strides=[2], ceil_mode=1)
                x = g.op("Transpose", pooled, perm=[0, 2, 1])
        return x

    return build


def dense(g: Graph, x: str, width: int = DENSE_FFN) -> str:
    """A plain feed-forward, activations scaled at run time."""
    return expert(g.quantize(x), int8_linear(HIDDEN, width), int8_linear(width, HIDDEN), g)


def expert(x: Quantized, up: object, down: object, g: Graph) -> str:
    """One expert on quantised input."""
    active = g.op("FastGelu", g.linear(x, up), domain=CONTRIB)  # type: ignore[arg-type]
    return g.linear(g.quantize(active), down)  # type: ignore[arg-type]


def static(g: Graph, x: str) -> str:
    """The dense feed-forward with activation scales fixed beforehand."""
    zero = g.constant(np.array(128, np.uint8))

    def fixed(value: str, scale: float) -> Quantized:
        name = g.constant(np.array(scale, np.float32))
        return Quantized(g.op("QuantizeLinear", value, name, zero), name, zero, value)

    active = g.op(
        "FastGelu", g.linear(fixed(x, 0.03), int8_linear(HIDDEN, DENSE_FFN)), domain=CONTRIB
    )
    return g.linear(fixed(active, 0.02), int8_linear(DENSE_FFN, HIDDEN))


def winners(g: Graph, x: str) -> str:
    """Index (GROUPS,) of the best expert of each group, from the mean of the text."""
    mean = g.op("ReduceMean", x, axes=[1], keepdims=0)
    scores = g.float_linear(mean, linear(HIDDEN, EXPERTS).weight, None)
    return g.op("ArgMax", g.op("Reshape", scores, g.integers(GROUPS, -1)), axis=1, keepdims=0)


def branched(g: Graph, x: str) -> str:
    """Sequence routing, the chosen expert run by `If` (what ships)."""
    best, quantized, answers = winners(g, x), g.quantize(x), []
    for group in range(GROUPS):
        index = g.op("Gather", best, g.constant(np.array(group, np.int64)))
        members = [
            partial(
                expert,
                quantized,
                int8_linear(HIDDEN, EXPERT_FFN),
                int8_linear(EXPERT_FFN, HIDDEN),
            )
            for _ in range(EXPERTS // GROUPS)
        ]
        answers.append(g.select(index, members))
    return g.op("Add", *answers)


def gathered(g: Graph, x: str) -> str:
    """Sequence routing, the chosen INT8 weights gathered and multiplied."""
    best, answers = winners(g, x), []
    for group in range(GROUPS):
        index = g.op("Gather", best, g.constant(np.array(group, np.int64)))
        hidden = _gathered_product(g, g.quantize(x), index, HIDDEN, EXPERT_FFN)
        active = g.op("FastGelu", hidden, domain=CONTRIB)
        answers.append(_gathered_product(g, g.quantize(active), index, EXPERT_FFN, HIDDEN))
    return g.op("Add", *answers)


def _gathered_product(g: Graph, x: Quantized, index: str, inputs: int, outputs: int) -> str:
    members = [int8_linear(inputs, outputs) for _ in range(EXPERTS // GROUPS)]
    weights = g.constant(np.stack([layer.weight.numpy().T for layer in members]))
    scales = g.constant(np.stack([layer.scale.numpy() for layer in members]))
    weight = g.op("Gather", weights, index)
    product = g.op("MatMulInteger", x.values, weight, x.zero_point)
    scale = g.op("Mul", g.op("Gather", scales, index), x.scale)
    return g.op("Mul", g.op("Cast", product, to=TensorProto.FLOAT), scale)


def by_token(g: Graph, x: str) -> str:
    """Token routing: each expert gathers its tokens, and its answers are added back."""
    rows = g.op("Reshape", x, g.integers(-1, HIDDEN))
    scores = g.float_linear(rows, linear(HIDDEN, EXPERTS).weight, None)
    _, chosen = g.op_many("TopK", 2, scores, g.integers(2), axis=1)
    total = g.op("Sub", rows, rows)
    for number in range(EXPERTS):
        here = g.op("Equal", chosen, g.constant(np.array(number, np.int64)))
        mine = g.op("ReduceMax", g.op("Cast", here, to=TensorProto.INT32), axes=[1], keepdims=0)
        places = g.op("Transpose", g.op("NonZero", mine), perm=[1, 0])  # (N, 1)
        tokens = g.op("GatherND", rows, places)
        answer = expert(
            g.quantize(tokens),
            int8_linear(HIDDEN, EXPERT_FFN),
            int8_linear(EXPERT_FFN, HIDDEN),
            g,
        )
        total = g.op("ScatterND", total, places, answer, reduction="add")
    return g.op("Reshape", total, g.integers(1, -1, HIDDEN))


def operator(g: Graph, x: str) -> str:
    """Token routing by the engine's fused FP32 mixture-of-experts operator."""
    rows = g.op("Reshape", x, g.integers(-1, HIDDEN))
    scores = g.float_linear(rows, linear(HIDDEN, EXPERTS).weight, None)
    up = np.stack([linear(HIDDEN, EXPERT_FFN).weight.detach().numpy() for _ in range(EXPERTS)])
    down = np.stack([linear(EXPERT_FFN, HIDDEN).weight.detach().numpy() for _ in range(EXPERTS)])
    mixed = g.op(
        "MoE",
        rows,
        scores,
        g.constant(up),
        g.constant(np.zeros((EXPERTS, EXPERT_FFN), np.float32)),
        g.constant(down),
        g.constant(np.zeros((EXPERTS, HIDDEN), np.float32)),
        domain=CONTRIB,
        k=2,
        activation_type="gelu",
        normalize_routing_weights=1,
    )
    return g.op("Reshape", mixed, g.integers(1, -1, HIDDEN))


# -- contestants ---------------------------------------------------------------------------------

DEEP = {
    "dense x8": stack(dense, 8, readout=False),
    "dense x8, static scales": stack(static, 8, readout=False),
    "dense x8, read-out": stack(dense, 8, readout=True),
    "If per text": stack(branched, 8, readout=False),
    "If per text, read-out (ships)": stack(branched, 8, readout=True),
    "gathered experts per text": stack(gathered, 8, readout=False),
    "gather/scatter per token": stack(by_token, 8, readout=False),
    "fused MoE operator per token": stack(operator, 8, readout=False),
}
FAST = {
    "dense x4": stack(dense, 4, readout=False),
    **{
        f"FFN {width}, read-out" + (" (ships)" if width == 384 else ""): stack(
            partial(dense, width=width), 4, readout=True
        )
        for width in (384, 512, 640, 1024)
    },
    "FFN 640": stack(partial(dense, width=640), 4, readout=False),
    "FFN 768, halved after 2": stack(partial(dense, width=768), 4, readout=False, halve_after=2),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    results = {name: compare(group, rounds) for name, group in (("deep", DEEP), ("fast", FAST))}
    print_json("dispatch", {"relative_to_dense": results})


def compare(builds: dict[str, FeedForward], rounds: int) -> dict[str, dict[int, float]]:
    """Time a group; return times relative to its first member."""
    seed()
    runners = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, build) in enumerate(builds.items()):
            try:
                path = Path(folder) / f"{number}.onnx"
                runners[name] = runner(partial(_from_input, build), path)
                runners[name](8)()
            except Exception as error:
                runners.pop(name, None)
                print(f"{name}: not available here ({type(error).__name__}: {str(error)[:150]})")
        relative: dict[str, dict[int, float]] = {name: {} for name in runners}
        for tokens in LENGTHS:
            times = interleaved({n: [at(tokens)] for n, at in runners.items()}, rounds)
            first = next(iter(times.values())).median
            for name, timing in times.items():
                relative[name][tokens] = round(timing.median / first, 3)
    rows = [[name, *row.values()] for name, row in relative.items()]
    print_table(["time relative to the first", *(f"{t} tokens" for t in LENGTHS)], rows)
    print()
    return relative


def _from_input(build: FeedForward, graph: Graph) -> str:
    return build(graph, "x")


if __name__ == "__main__":
    main()
