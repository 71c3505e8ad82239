"""Branches that have attention and norms in common, from the first step to the files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tinyguardrail_sdk.engine import Engine
from tinyguardrail_sdk.features import FeatureExtractor
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer
from tinyguardrail_sdk.training import train
from tinyguardrail_sdk.training.checkpoint import load_model, load_weights
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.export.bundle import export
from tinyguardrail_sdk.training.network.config import DEEP_LAYERS, FAST_LAYERS, NetworkConfig
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.quantization import prepare
from tinyguardrail_sdk.training.restore import restore

pytestmark = pytest.mark.train

DEPTHS = {"fast_layers": len(FAST_LAYERS), "deep_layers": len(DEEP_LAYERS)}
# Deep layers that the fast ones have attention and norms in common with.
TWINS = (0, 1, 3, 7)

MakeConfig = Callable[..., TrainConfig]


@pytest.fixture
def config(make_config: MakeConfig) -> TrainConfig:
    return make_config(
        # Attention narrower than the network, as after heads were left out.
        network={"tied": True, "heads": 3, "head_width": 4, **DEPTHS},
        schedule={"max_steps": 4, "quantized_from": 0.5},
        optimizer={"ema": 0.9},
    )


def shared(network: TinyGuardrail) -> list[torch.nn.Parameter]:
    return [
        parameter
        for index in TWINS
        for name in ("attention", "attention_norm", "output_norm")
        for parameter in getattr(network.deep.encoder_layers()[index], name).parameters()
    ]


def batch() -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    return {
        "input_ids": torch.randint(1, 100, (4, 8)),
        "attention_mask": torch.ones(4, 8),
        "char_ids": torch.randint(1, 60, (4, 8, 7)),
        "pattern_scores": torch.rand(4, 6),
        "segment_ids": torch.zeros(4, dtype=torch.long),
        "labels": torch.arange(4),
    }


def test_common_parameters_are_counted_and_learned_once(config: TrainConfig) -> None:
    apart = TinyGuardrail(replace(config.network, tied=False))
    network = TinyGuardrail(config.network)
    saved = apart.parameter_count() - network.parameter_count()
    assert saved == sum(parameter.numel() for parameter in shared(network)) > 0
    groups = train.parameter_groups(network, config.optimizer)
    learned = [id(parameter) for group in groups for parameter in group["params"]]
    assert len(learned) == len(set(learned)) == len(list(network.parameters()))


def test_gradients_come_from_both_branches(config: TrainConfig) -> None:
    network = TinyGuardrail(config.network).eval()
    prepare(network)
    gradients = []
    for branches in ("fast", "deep"):
        network.zero_grad()
        network(**batch(), branches=branches).loss.backward()
        gradients.append([p.grad.clone() for p in shared(network) if p.grad is not None])
    network.zero_grad()
    for branches in ("fast", "deep"):
        network(**batch(), branches=branches).loss.backward()
    fast, deep = gradients
    for mine, other, parameter in zip(fast, deep, shared(network), strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, mine + other)
    assert all(sum(float(g.abs().sum()) for g in part) > 0 for part in gradients)


def test_trained_and_exported_both_files_hold_what_is_common(
    config: TrainConfig, tmp_path: Path
) -> None:
    train.main(config)
    network, _ = load_model(config.output / "best")
    made = tmp_path / "made"
    manifest = export(config.output / "best", made, model_version="1")
    assert manifest.parameters == network.parameter_count()
    extractor = FeatureExtractor(
        WordPieceTokenizer.from_file(made / "vocab.txt"), max_tokens=24, overlap=4
    )
    window = extractor.extract("please summarise the red garden", Source.USER).windows[0]
    fast, deep, _ = Engine(made, manifest).logits(window)
    prepare(network)
    with torch.no_grad():
        info = network(
            input_ids=torch.from_numpy(window.token_ids)[None].long(),
            attention_mask=torch.ones(1, len(window.token_ids)),
            char_ids=torch.from_numpy(window.char_ids)[None].long(),
            pattern_scores=torch.from_numpy(window.pattern_scores)[None],
            segment_ids=torch.tensor([window.segment]),
        ).route_info
    np.testing.assert_allclose(fast, info.fast_logits[0], atol=0.02)
    np.testing.assert_allclose(deep, info.deep_logits[0], atol=0.02)

    again = TinyGuardrail(config.network)
    restore(again, made)
    apart = TinyGuardrail(replace(config.network, tied=False))
    restore(apart, made)
    for name, tensor in apart.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])


def test_from_weights_that_were_apart_the_deep_branch_stays(
    make_config: MakeConfig, config: TrainConfig, tmp_path: Path
) -> None:
    before = make_config(
        output=str(tmp_path / "apart"),
        schedule={"max_steps": 1},
        network={"heads": 3, "head_width": 4, **DEPTHS},
    )
    train.main(before)
    weights = load_weights(before.output / "step-1")
    network = TinyGuardrail(config.network)
    said = train._initialise(network, str(before.output / "step-1"))
    assert "what is tied is its deep branch's" in said
    for fast, deep in enumerate(TWINS):
        name = "attention.query.weight"
        assert torch.equal(
            network.fast.state_dict()[f"layers.{fast}.{name}"],
            weights[f"deep.layers.{deep}.{name}"],
        )
    export(before.output / "step-1", tmp_path / "made", model_version="1")
    assert "what is tied" in train._initialise(network, str(tmp_path / "made"))
    rounded = TinyGuardrail(before.network)
    restore(rounded, tmp_path / "made")
    for name, tensor in rounded.deep.state_dict().items():
        assert torch.equal(tensor, network.deep.state_dict()[name])


def test_other_depths_cannot_be_tied() -> None:
    with pytest.raises(ValueError, match="tied=true needs fast_layers=4 and deep_layers=8"):
        NetworkConfig(deep_layers=6, tied=True)
