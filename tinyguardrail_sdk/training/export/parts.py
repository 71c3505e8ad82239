"""The three files of the checkpoint as ONNX graphs, for one window at a time.

One window a run needs no padding and no mask, and its activation scales do not depend on what
else was in a batch: a text gets the same answer alone and in company.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from onnx import TensorProto

from tinyguardrail_sdk.training.export.four_bit import FourBitGraph
from tinyguardrail_sdk.training.export.graph import CONTRIB, Graph, Interface, Quantized, Units
from tinyguardrail_sdk.training.network.branches import Branch, Head, Router
from tinyguardrail_sdk.training.network.embeddings import CharacterCNN, ThreatEmbeddings
from tinyguardrail_sdk.training.network.experts import MixtureOfExperts
from tinyguardrail_sdk.training.network.layers import Attention, EncoderLayer, FeedForward
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.progress import Progress
from tinyguardrail_sdk.training.quantization import Int8Linear


def save_parts(
    model: TinyGuardrail,
    directory: Path,
    *,
    four_bit: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write `embed.onnx`, `fast.onnx` and `deep.onnx` of a converted network.

    With `four_bit`, what conversion left in floating point is written in 4 bits (`four_bit.py`).
    `progress` is called with files done and files in all.

    Sizes: T tokens, C characters of the longest token, N characters in all, W the widest character
    kernel, H hidden, P patterns. embed takes int32 `token_ids` (1, T), `char_windows` (N + 1, W)
    whose last row is all padding, `char_places` (T, C) rows of it (the last one where a token has
    ended), `segment` (1,), and float `pattern_scores` (1, P); it gives `embedded` (1, T, H) and
    `route_logit` (1, 1). The branches take `embedded` and `pattern_scores`, and give `logits`
    (1, labels).
    """
    builders = part_builders(model)
    for done, (name, build) in enumerate(builders.items(), 1):
        g = FourBitGraph() if four_bit else Graph()
        g.save(directory / name, build(g))
        if progress is not None:
            progress(done, len(builders))


def part_builders(model: TinyGuardrail) -> dict[str, Callable[[Graph], Interface]]:
    """By file name, what writes that part of the network into a graph."""
    return {
        "embed.onnx": partial(_embed, embeddings=model.embeddings, router=model.router),
        "fast.onnx": partial(_branch, branch=model.fast, hidden=model.config.hidden),
        "deep.onnx": partial(_branch, branch=model.deep, hidden=model.config.hidden),
    }


def _embed(g: Graph, embeddings: ThreatEmbeddings, router: Router) -> Interface:
    """Embeddings and router as one graph."""
    per_text = g.op(
        "Add",
        g.op("Gather", g.constant(embeddings.segments.weight), "segment"),
        g.float_linear("pattern_scores", embeddings.patterns.weight, None),
    )
    summed = g.op(
        "Add",
        g.rows(embeddings.tokens, "token_ids"),
        _character_features(g, embeddings.characters),
    )
    length = g.op("Shape", "token_ids", start=1, end=2)
    placed = g.op("Add", _positions(g, embeddings, length), per_text)
    embedded = g.residual_norm(summed, placed, embeddings.norm, g.units(length))
    return Interface(
        inputs={
            "token_ids": (TensorProto.INT32, [1, "T"]),
            "char_windows": (TensorProto.INT32, ["N", embeddings.characters.width]),
            "char_places": (TensorProto.INT32, ["T", "C"]),
            "segment": (TensorProto.INT32, [1]),
            "pattern_scores": (TensorProto.FLOAT, [1, embeddings.patterns.in_features]),
        },
        outputs={"embedded": embedded, "route_logit": _route(g, router, embedded)},
    )


def _branch(g: Graph, branch: Branch, hidden: int) -> Interface:
    """One branch with its head."""
    x = "embedded"
    *body, last = branch.encoder_layers()
    units = g.units(g.op("Shape", x, start=1, end=2))
    for layer in body:
        x = _encoder_layer(g, x, layer, units)
    readout = _encoder_layer(g, x, last, g.units(g.integers(1)))
    return Interface(
        inputs={
            "embedded": (TensorProto.FLOAT, [1, "T", hidden]),
            "pattern_scores": (TensorProto.FLOAT, [1, branch.head.patterns.in_features]),
        },
        outputs={"logits": _head(g, readout, x, branch.head)},
    )


def _positions(g: Graph, embeddings: ThreatEmbeddings, length: str) -> str:
    table = g.constant(embeddings.positions.weight.detach()[None])
    return g.op("Slice", table, g.integers(0), length, g.integers(1))


def _character_features(g: Graph, cnn: CharacterCNN) -> str:
    vectors = g.op("Gather", g.constant(cnn.embedding.weight), "char_windows")  # (N, W, D)
    flat = g.op("Reshape", vectors, g.integers(0, -1))
    responses = g.float_linear(flat, cnn.filters.weight, None)  # (N, filters)
    by_token = g.op("Gather", responses, "char_places")  # (T, C, filters)
    strongest = g.op("ReduceMax", by_token, axes=[1], keepdims=0)
    active = g.op("Relu", g.op("Add", strongest, g.constant(cnn.filters.bias)))
    return g.linear(g.quantize(active), cnn.project)


def _route(g: Graph, router: Router, embedded: str) -> str:
    pooled = g.op("Concat", _mean(g, embedded), _max(g, embedded), "pattern_scores", axis=1)
    hidden = g.op("Relu", g.float_linear(pooled, router.dense.weight, router.dense.bias))
    return g.float_linear(hidden, router.decide.weight, router.decide.bias)


def _encoder_layer(g: Graph, x: str, layer: EncoderLayer, units: Units) -> str:
    if layer.readout:
        queries = g.op("Slice", x, g.integers(0), g.integers(1), g.integers(1))
        context = _readout_attention(g, queries, x, layer.attention)
    else:
        queries = x
        context = g.self_attention(
            g.quantize(x), _projections(layer.attention), layer.attention.heads
        )
    projected = g.linear(g.quantize(context), layer.attention.output)
    attended = g.residual_norm(projected, queries, layer.attention_norm, units)
    if isinstance(layer.feed_forward, MixtureOfExperts):
        transformed = _experts(g, g.quantize(attended), _mean(g, x), layer.feed_forward)
    else:
        assert isinstance(layer.feed_forward, FeedForward)
        transformed = _feed_forward(layer.feed_forward, g.quantize(attended), g)
    return g.residual_norm(transformed, attended, layer.output_norm, units)


def _readout_attention(g: Graph, queries: str, x: str, attention: Attention) -> str:
    quantized = g.quantize(x)
    query, key, value = _projections(attention)
    return g.op(
        "MultiHeadAttention",
        g.linear(g.quantize(queries), query),
        g.linear(quantized, key),
        g.linear(quantized, value),
        domain=CONTRIB,
        num_heads=attention.heads,
    )


def _projections(attention: Attention) -> list[Int8Linear]:
    """Query, key and value as three layers."""
    query, key_value = attention.query, attention.key_value
    assert isinstance(query, Int8Linear)
    assert isinstance(key_value, Int8Linear)
    return [query, *key_value.chunk(2)]


def _feed_forward(layer: FeedForward, x: Quantized, g: Graph) -> str:
    active = g.op("FastGelu", g.linear(x, layer.up), domain=CONTRIB)
    return g.linear(g.quantize(active), layer.down)


def _experts(g: Graph, x: Quantized, gate_input: str, mixture: MixtureOfExperts) -> str:
    scores = g.float_linear(gate_input, mixture.gate.weight, mixture.gate.bias)
    grouped = g.op("Reshape", scores, g.integers(mixture.groups, -1))
    winners = g.op("ArgMax", grouped, axis=1, keepdims=0)  # (groups,)
    experts = [e for e in mixture.experts if isinstance(e, FeedForward)]
    per_group = len(experts) // mixture.groups
    answers = []
    for group in range(mixture.groups):
        members = experts[group * per_group : (group + 1) * per_group]
        winner = g.op("Gather", winners, g.constant(np.array(group, np.int64)))
        answers.append(g.select(winner, [partial(_feed_forward, member, x) for member in members]))
    total = answers[0]
    for answer in answers[1:]:
        total = g.op("Add", total, answer)
    return total


def _head(g: Graph, readout: str, hidden: str, head: Head) -> str:
    first = g.op("Squeeze", readout, g.integers(1))
    pooled = g.op("Concat", first, _mean(g, hidden), _max(g, hidden), axis=1)
    evidence = g.float_linear("pattern_scores", head.patterns.weight, None)
    features = g.op("Tanh", g.op("Add", g.linear(g.quantize(pooled), head.dense), evidence))
    return g.float_linear(features, head.classify.weight, head.classify.bias)


def _mean(g: Graph, x: str) -> str:
    return g.op("ReduceMean", x, axes=[1], keepdims=0)


def _max(g: Graph, x: str) -> str:
    return g.op("ReduceMax", x, axes=[1], keepdims=0)
