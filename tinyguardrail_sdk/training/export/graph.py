"""A small builder of ONNX graphs: one method per operator that the checkpoint uses.

The graphs are written operator by operator instead of traced, so that every product is the
engine's fused integer one and every expert is a branch that runs only when chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from tinyguardrail_sdk.training.quantization import Int8Embedding, Int8Linear

OPSET = 17
IR_VERSION = 9  # the newest that onnxruntime 1.17 reads
CONTRIB = "com.microsoft"

Shape = Sequence[int | str]


class Quantized(NamedTuple):
    """Names of an 8-bit tensor, its scale and its zero point, and of the float tensor it is of."""

    values: str
    scale: str
    zero_point: str
    plain: str


class Units(NamedTuple):
    """Names of T ones and T zeros: the scales and shifts of a plain normalisation of T tokens."""

    ones: str
    zeros: str


class Interface(NamedTuple):
    """What a graph takes and gives.

    Attributes:
        inputs: Element type and shape by input name.
        outputs: Inner value by public output name; all float.
    """

    inputs: dict[str, tuple[int, Shape]]
    outputs: dict[str, str]


class Graph:
    """Collects nodes and constants; names are made here and unique across nested graphs."""

    def __init__(self, parent: Graph | None = None) -> None:
        self._names: list[int] = parent._names if parent else [0]
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, values: Tensor | NDArray[Any]) -> str:
        """Add a constant and return its name."""
        array = values.detach().cpu().numpy() if isinstance(values, Tensor) else values
        name = self._fresh("c")
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def integers(self, *values: int) -> str:
        """Add a vector of int64."""
        return self.constant(np.array(values, np.int64))

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.op_many(kind, 1, *inputs, domain=domain, **attributes)[0]

    def op_many(
        self, kind: str, outputs: int, *inputs: str, domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node with several outputs."""
        names = [self._fresh("v") for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names

    def quantize(self, x: str) -> Quantized:
        """Unsigned 8-bit values of a float tensor, with the scale and zero point of this run."""
        values, scale, zero_point = self.op_many("DynamicQuantizeLinear", 3, x)
        return Quantized(values, scale, zero_point, x)

    def linear(self, x: Quantized, layer: nn.Linear) -> str:
        """INT8 product with a converted linear layer, float out."""
        assert isinstance(layer, Int8Linear)
        values, scales = self.quantized_weight(layer)
        return self.op(
            "MatMulIntegerToFloat",
            x.values,
            values,
            x.scale,
            scales,
            x.zero_point,
            "",  # weights are symmetric
            self.constant(layer.bias),
            domain=CONTRIB,
        )

    def self_attention(self, x: Quantized, projections: Sequence[Int8Linear], heads: int) -> str:
        """INT8 query, key and value projections of (1, T, H), and FP32 attention among them.

        One operator does it all, and writes the projections as attention reads them
        (`benchmarks/operators.py`).
        """
        values, scales, bias = self.quantized_stack(projections)
        return self.op(
            "QAttention",
            x.values,
            values,
            bias,
            x.scale,
            scales,
            "",  # no mask
            x.zero_point,
            domain=CONTRIB,
            num_heads=heads,
        )

    def rows(self, table: nn.Embedding, ids: str) -> str:
        """Rows (..., H) of a converted embedding table (V, H)."""
        assert isinstance(table, Int8Embedding)
        values, scales = self.constant(table.weight), self.constant(table.scale[:, None])
        picked = self.op("Cast", self.op("Gather", values, ids), to=TensorProto.FLOAT)
        return self.op("Mul", picked, self.op("Gather", scales, ids))

    def quantized_weight(self, layer: Int8Linear) -> tuple[str, str]:
        """Constants of a layer: int8 values (in, out), scales (out,)."""
        return self.constant(layer.weight.T), self.constant(layer.scale)

    def quantized_stack(self, layers: Sequence[Int8Linear]) -> tuple[str, str, str]:
        """Constants of layers that read the same: values (in, sum of out), scales and bias."""
        weight, scale, bias = (
            torch.cat([getattr(layer, name) for layer in layers])
            for name in ("weight", "scale", "bias")
        )
        return self.constant(weight.T), self.constant(scale), self.constant(bias)

    def float_linear(self, x: str, weight: Tensor, bias: Tensor | None) -> str:
        """FP32 product with `weight` (out, in)."""
        product = self.op("MatMul", x, self.constant(weight.detach().T))
        return product if bias is None else self.op("Add", product, self.constant(bias))

    def units(self, length: str) -> Units:
        """What `residual_norm` needs for a text of `length` (1,) tokens."""
        one = numpy_helper.from_array(np.ones(1, np.float32))
        return Units(
            self.op("ConstantOfShape", length, value=one), self.op("ConstantOfShape", length)
        )

    def residual_norm(self, x: str, residual: str, norm: nn.LayerNorm, units: Units) -> str:
        """LayerNorm of a sum of two (1, T, H) tensors.

        Written as InstanceNormalization with the tokens as channels: the engine's own
        LayerNormalization kernel is not vectorised and slower (`benchmarks/operators.py`).
        """
        summed = self.op("Add", x, residual)
        normal = self.op("InstanceNormalization", summed, *units, epsilon=norm.eps)
        scaled = self.op("Mul", normal, self.constant(norm.weight))
        return self.op("Add", scaled, self.constant(norm.bias))

    def select(self, index: str, answers: Sequence[Callable[[Graph], str]]) -> str:
        """Run only the `index`-th (int64 scalar) of several sub-graphs and return its output."""
        if len(answers) == 1:
            return answers[0](self)
        middle = len(answers) // 2
        first = self._subgraph(lambda inner: inner.select(index, answers[:middle]))
        shifted = self.op("Sub", index, self.constant(np.array(middle, np.int64)))
        rest = self._subgraph(lambda inner: inner.select(shifted, answers[middle:]))
        before = self.op("Less", index, self.constant(np.array(middle, np.int64)))
        return self.op("If", before, then_branch=first, else_branch=rest)

    def _subgraph(self, build: Callable[[Graph], str]) -> onnx.GraphProto:
        inner = self._nested()
        output = build(inner)
        value = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        return helper.make_graph(inner.nodes, self._fresh("g"), [], [value], inner.constants)

    def _nested(self) -> Graph:
        return Graph(parent=self)

    def save(self, path: Path, interface: Interface) -> None:
        """Write the model."""
        inputs, outputs = interface
        renames = [helper.make_node("Identity", [inner], [name]) for name, inner in outputs.items()]
        graph = helper.make_graph(
            [*self.nodes, *renames],
            path.stem,
            [helper.make_tensor_value_info(name, *kind) for name, kind in inputs.items()],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            self.constants,
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
        onnx.save(model, path)

    def _fresh(self, prefix: str) -> str:
        self._names[0] += 1
        return f"{prefix}{self._names[0]}"
