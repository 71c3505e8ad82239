"""Reads a shipped INT8 checkpoint back into the trainable network, to go on from it.

The network is converted and its graphs are written once more, as the export does, but every
constant is copied from the checkpoint's file into the tensor that it was made from: the two can
never drift apart.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from tinyguardrail_sdk.errors import CheckpointError
from tinyguardrail_sdk.manifest import load_manifest
from tinyguardrail_sdk.training.export.graph import Graph
from tinyguardrail_sdk.training.export.parts import part_builders
from tinyguardrail_sdk.training.network.layers import FeedForward
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.network.pruning import prune_heads, strongest_neurons
from tinyguardrail_sdk.training.quantization import Int8Linear, convert, revert


@torch.no_grad()
def restore(model: TinyGuardrail, directory: Path) -> str:
    """Copy the weights of an INT8 checkpoint into `model`, in place.

    Args:
        model: A network of the checkpoint's shape, or with a narrower `fast_ffn` or fewer `heads`:
            the strongest neurons of the fast branch, or heads of each layer, are kept then. Where
            it is `tied` and the checkpoint is not, the deep branch's are taken.
        directory: The checkpoint; its files are first verified against the manifest.

    Returns:
        The checkpoint's name and version, and what was kept of which size.

    Raises:
        CheckpointError: The files are damaged, or hold a network of another shape.
    """
    manifest = load_manifest(directory)
    if manifest.training.get("weights", "int8") != "int8":
        raise CheckpointError(
            f"{directory}: its weights are {manifest.training['weights']}; "
            "go on from an int8 export"
        )
    stored = manifest.training.get("config", {}).get("network", {})
    larger = {
        name: stored[name]
        for name in ("fast_ffn", "heads")
        if stored.get(name, 0) > getattr(model.config, name)
    }
    origin = f"{manifest.name} {manifest.model_version}"
    if not larger:
        _read(model, directory)
        return origin
    wide = TinyGuardrail(dataclasses.replace(model.config, **larger))
    width = wide.config.attention_width // wide.config.heads
    if model.config.attention_width != model.config.heads * width:
        raise CheckpointError(
            f"{directory}: its heads keep their width where some are left out; "
            f"set network.head_width={width}"
        )
    _read(wide, directory)
    _narrow(wide, model)
    return f"{origin}, the strongest of {' and '.join(f'{k}={v}' for k, v in larger.items())}"


def _read(model: TinyGuardrail, directory: Path) -> None:
    convert(model)
    for name, build in part_builders(model).items():
        reader = _Reader(directory / name)
        build(reader)
        reader.finish()
    revert(model)


def _narrow(wide: TinyGuardrail, model: TinyGuardrail) -> None:
    """Copy a network into one with a narrower fast branch or fewer heads."""
    weights = wide.state_dict()
    for index, layer in enumerate(wide.fast.encoder_layers()):
        forward, prefix = layer.feed_forward, f"fast.layers.{index}.feed_forward."
        assert isinstance(forward, FeedForward)
        kept = strongest_neurons(forward.up.weight, forward.down.weight, model.config.fast_ffn)
        weights[f"{prefix}up.weight"] = forward.up.weight[kept]
        weights[f"{prefix}up.bias"] = forward.up.bias[kept]
        weights[f"{prefix}down.weight"] = forward.down.weight[:, kept]
    for name, branch in (("fast", wide.fast), ("deep", wide.deep)):
        for index, layer in enumerate(branch.encoder_layers()):
            whole = layer.attention.state_dict()
            smaller, _ = prune_heads(whole, wide.config.heads, model.config.heads)
            prefix = f"{name}.layers.{index}.attention."
            weights |= {f"{prefix}{key}": tensor for key, tensor in smaller.items()}
    model.load_state_dict(weights)


class _Reader(Graph):
    """A graph whose constants flow the other way: from the file into the network."""

    def __init__(self, path: Path, parent: _Reader | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self._stored: deque[onnx.TensorProto] = parent._stored if parent else _weights(path)

    def constant(self, values: Tensor | NDArray[Any]) -> str:
        """Add a constant; a tensor, which views one of the network, takes what the file holds."""
        if isinstance(values, Tensor):
            values.detach().copy_(self._next(values.shape))
        return super().constant(values)

    def quantized_stack(self, layers: Sequence[Int8Linear]) -> tuple[str, str, str]:
        """Fill layers of one size, stored as one or, in guard-v1 1.0.0, one by one."""
        outs, ins = layers[0].weight.shape
        if self._stored and list(self._stored[0].dims) == [ins, outs]:
            for layer in layers:
                self.quantized_weight(layer)
                self.constant(layer.bias)
        else:
            total = outs * len(layers)
            stack = self._next([ins, total]).T, self._next([total]), self._next([total])
            for name, whole in zip(("weight", "scale", "bias"), stack, strict=True):
                for layer, part in zip(layers, whole.chunk(len(layers)), strict=True):
                    getattr(layer, name).detach().copy_(part)
        return "values", "scales", "bias"

    def finish(self) -> None:
        """Make sure that nothing of the file was left over."""
        if self._stored:
            raise self._misfit()

    def _nested(self) -> Graph:
        return _Reader(self._path, self)

    def _next(self, shape: Sequence[int]) -> Tensor:
        while self._stored and self._stored[0].dims == [1] != list(shape):
            self._stored.popleft()  # guard-v1 1.0.0 holds the units of its norms
        if not self._stored or list(self._stored[0].dims) != list(shape):
            raise self._misfit()
        return _tensor(self._stored.popleft())

    def _misfit(self) -> CheckpointError:
        return CheckpointError(
            f"{self._path}: holds a network of another shape; give the configuration "
            "(`network` and `data.vocab`) that it was trained with"
        )


def _weights(path: Path) -> deque[onnx.TensorProto]:
    """Every weight of a file, nested graphs included, in the order in which they were added.

    What else is constant in a graph is an integer: indices, shapes, zero points in a row.
    """
    found = [
        constant
        for constant in _initializers(onnx.load(path).graph)
        if constant.data_type == onnx.TensorProto.FLOAT
        or (constant.data_type == onnx.TensorProto.INT8 and len(constant.dims) > 1)
    ]
    found.sort(key=lambda constant: int(constant.name[1:]))  # c12: the number of its creation
    return deque(found)


def _tensor(constant: onnx.TensorProto) -> Tensor:
    return torch.from_numpy(numpy_helper.to_array(constant).copy())


def _initializers(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _initializers(attribute.g)
