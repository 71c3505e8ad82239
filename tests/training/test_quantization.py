"""Prepared, converted and exported, a network is one; what cannot be converted is named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
import torch
from onnx import numpy_helper
from torch import Tensor

from tinyguardrail_sdk.errors import CheckpointError
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.export.parts import save_parts
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.quantization import (
    FakeQuantLinear,
    Int8Embedding,
    Int8Linear,
    convert,
    prepare,
    quantized_layers,
    revert,
)

pytestmark = pytest.mark.train


@pytest.fixture
def network(make_config: Callable[..., TrainConfig]) -> TinyGuardrail:
    torch.manual_seed(4)
    network = TinyGuardrail(make_config().network).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(5.0) if parameter.dim() > 1 else None
    return network


def answer(network: TinyGuardrail) -> Tensor:
    torch.manual_seed(5)
    with torch.no_grad():
        outputs = network(
            input_ids=torch.randint(1, 100, (16, 12)),
            attention_mask=torch.ones(16, 12),
            char_ids=torch.randint(1, 60, (16, 12, 7)),
            pattern_scores=torch.rand(16, 6),
            segment_ids=torch.zeros(16, dtype=torch.long),
        ).route_info
    assert outputs.fast_logits is not None
    assert outputs.deep_logits is not None
    return torch.stack([outputs.fast_logits, outputs.deep_logits])


def decibels(signal: Tensor, other: Tensor) -> float:
    """Power of the signal over that of the difference."""
    return float(20 * torch.log10(signal.norm() / (signal - other).norm().clamp(min=1e-12)))


def test_prepared_and_converted_agree(network: TinyGuardrail) -> None:
    floating = answer(network)
    prepare(network)
    prepared = answer(network)
    convert(network)
    converted = answer(network)
    revert(network)
    assert decibels(prepared, converted) > 60
    assert 10 < decibels(floating, prepared) < 40  # rounding is there, and is no more than that
    assert not any(isinstance(m, (Int8Linear, Int8Embedding)) for m in network.modules())
    convert(network)
    assert torch.equal(answer(network), converted)


def test_what_is_quantised_is_one_list(network: TinyGuardrail) -> None:
    names = quantized_layers(network)
    assert {"embeddings.tokens", "embeddings.characters.project", "deep.head.dense"} <= set(names)
    assert not any(part in name for name in names for part in ("router", "gate", "classify"))
    parameters = {name: id(p) for name, p in network.named_parameters()}
    prepare(network)
    # Optimiser, average and checkpoints go by them.
    assert {name: id(p) for name, p in network.named_parameters()} == parameters
    convert(network)
    held = {n for n, m in network.named_modules() if isinstance(m, (Int8Linear, Int8Embedding))}
    assert held == set(names)


def test_the_files_hold_the_numbers_of_the_converted_network(
    network: TinyGuardrail, tmp_path: Path
) -> None:
    convert(network)
    save_parts(network, tmp_path)
    stored = [
        torch.from_numpy(numpy_helper.to_array(constant).copy())
        for constant in onnx.load(tmp_path / "fast.onnx").graph.initializer
    ]
    layers = [m for m in network.fast.modules() if isinstance(m, Int8Linear)]
    whole = {"query", "key_value"}
    for name, layer in network.fast.named_modules():
        if isinstance(layer, Int8Linear) and name.rpartition(".")[2] not in whole:
            assert any(torch.equal(layer.weight.T, held) for held in stored), name
            assert any(torch.equal(layer.scale, held) for held in stored), name
    attention = network.fast.encoder_layers()[0].attention
    stack = torch.cat([attention.query.weight, attention.key_value.weight]).T
    assert any(torch.equal(stack, held) for held in stored)
    assert sum(held.dtype == torch.int8 for held in stored) >= len(layers) - 1


@pytest.mark.parametrize("to_be", ["int8", "int4"])
def test_a_layer_that_cannot_be_converted_is_named_and_none_is(
    network: TinyGuardrail, to_be: str
) -> None:
    leaving = list(network.deep.modules()) if to_be == "int4" else []
    before = copy.deepcopy(network.state_dict())
    name = "deep.layers.1.feed_forward.experts.2.up"
    network.state_dict()[f"{name}.weight"][3, 4] = float("nan")
    with pytest.raises(CheckpointError, match=rf"^{name}: cannot be quantised.*another step"):
        convert(network, leaving)
    assert network.state_dict().keys() == before.keys()


def test_layers_left_out_are_converted_by_another_call(network: TinyGuardrail) -> None:
    name = "deep.layers.0.feed_forward.experts.0.up"
    left = network.get_submodule(name)
    convert(network, leaving=[left])
    assert network.get_submodule(name) is left
    assert isinstance(network.embeddings.tokens, Int8Embedding)
    convert(network)
    assert isinstance(network.get_submodule(name), Int8Linear)


def test_the_lookup_learns_through_its_rounding(network: TinyGuardrail) -> None:
    prepare(network)
    assert isinstance(network.embeddings.characters.project, FakeQuantLinear)
    network.embeddings.tokens(torch.tensor([7, 7, 0])).sum().backward()
    gradient = network.embeddings.tokens.weight.grad
    assert gradient is not None
    assert gradient.sum(1).nonzero().flatten().tolist() == [7]
