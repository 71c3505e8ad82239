"""Random-weight graphs for the comparisons of operators and dispatch, at the shipped sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto
from torch import nn

from tinyguardrail_sdk.training.export.graph import Graph, Interface
from tinyguardrail_sdk.training.quantization import Int8Linear

HIDDEN = 384

Run = Callable[[], object]


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer with weights of the size that trained ones have."""
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=0.04)
    return layer


def int8_linear(inputs: int, outputs: int) -> Int8Linear:
    """The same, converted."""
    return Int8Linear.of(linear(inputs, outputs))


def layer_norm() -> nn.LayerNorm:
    """A LayerNorm whose scale and shift cannot be optimised away."""
    norm = nn.LayerNorm(HIDDEN, eps=1e-12)
    nn.init.normal_(norm.weight, mean=1.0, std=0.1)
    nn.init.normal_(norm.bias, std=0.1)
    return norm


def runner(build: Callable[[Graph], str], path: Path) -> Callable[[int], Run]:
    """Save the graph that `build` writes from input `x` (1, T, H); return a maker of timed calls.

    Args:
        build: Adds nodes and returns the name of the output.
        path: Where to write the graph.

    Returns:
        A function of the number of tokens that returns a call.
    """
    graph = Graph()
    output = build(graph)
    graph.save(path, Interface({"x": (TensorProto.FLOAT, [1, "T", HIDDEN])}, {"y": output}))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def at(tokens: int) -> Run:
        x = np.random.default_rng(tokens).normal(size=(1, tokens, HIDDEN)).astype(np.float32)
        return lambda: session.run(None, {"x": x})

    return at


def seed() -> None:
    """Make the random weights the same from run to run."""
    torch.manual_seed(0)
