"""The network: shapes, the eight outputs, and what must not change an answer."""

from dataclasses import fields, replace
from typing import Any

import pytest
import torch

from tinyguardrail_sdk.bits import unpack
from tinyguardrail_sdk.labels import LABELS, PATTERNS
from tinyguardrail_sdk.training.network.config import NetworkConfig
from tinyguardrail_sdk.training.network.model import Outputs, TinyGuardrail

pytestmark = pytest.mark.train

TINY = NetworkConfig(
    vocab_size=100, hidden=32, heads=4, max_positions=32, fast_layers=2, fast_ffn=32,
    deep_layers=2, experts=4, expert_ffn=32, router_hidden=16, dropout=0.0,
)  # fmt: skip


def batch(rows: int = 5, tokens: int = 12, chars: int = 9) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)

    def integers(high: int, *shape: int) -> torch.Tensor:
        return torch.randint(1, high, shape, generator=generator)

    return {
        "input_ids": integers(100, rows, tokens),
        "attention_mask": torch.ones(rows, tokens, dtype=torch.long),
        "char_ids": integers(512, rows, tokens, chars),
        "pattern_scores": torch.rand(rows, len(PATTERNS), generator=generator),
        "segment_ids": integers(8, rows),
    }


@pytest.fixture
def network() -> TinyGuardrail:
    torch.manual_seed(0)
    return TinyGuardrail(TINY).eval()


def test_shipped_shape_has_sixty_to_eighty_million_parameters() -> None:
    with torch.device("meta"):
        network = TinyGuardrail(NetworkConfig(vocab_size=34_217))
    assert 60e6 <= network.parameter_count() <= 80e6


def test_forward_gives_the_eight_outputs(network: TinyGuardrail) -> None:
    outputs = network(**batch(), labels=torch.tensor([0, 1, 2, 3, 0]))
    assert [field.name for field in fields(Outputs)] == [
        "logits", "loss", "confidence", "bit_response", "route_decision", "route_info",
        "pattern_scores", "aux_loss",
    ]  # fmt: skip
    assert outputs.logits.shape == (5, len(LABELS))
    assert outputs.loss.isfinite()
    assert set(outputs.route_info.losses) == {"fast", "router", "deep", "balance"}
    assert outputs.route_info.expert_load.shape == (2, 4)


def test_bit_response_decodes_to_what_the_network_said(network: TinyGuardrail) -> None:
    inputs = batch()
    inputs["pattern_scores"][0] = torch.tensor([0.0, 0.4, 0.0, 0.0, 0.0, 0.9])
    outputs = network(**inputs)
    response = unpack(int(outputs.bit_response[0]))
    assert response.label is LABELS[int(outputs.logits[0].argmax())]
    assert response.deep == bool(outputs.route_decision[0])
    assert response.patterns == (PATTERNS[1], PATTERNS[5])
    assert response.confidence == pytest.approx(outputs.confidence[0].item(), abs=0.5 / 63)


def test_detectors_of_every_row_count(network: TinyGuardrail) -> None:
    inputs = batch()
    before = network(**inputs, branches="deep").logits
    inputs["pattern_scores"][3] = 1.0 - inputs["pattern_scores"][3]
    after = network(**inputs, branches="deep").logits
    changed = ((before - after).abs() > 1e-6).any(1)
    assert changed.tolist() == [False, False, False, True, False]


@pytest.mark.parametrize("branches", ["fast", "deep"])
def test_padding_does_not_change_an_answer(network: TinyGuardrail, branches: str) -> None:
    inputs = batch(rows=2)
    plain = network(**inputs, branches=branches).logits
    pad = torch.nn.functional.pad
    padded = {
        **inputs,
        "input_ids": pad(inputs["input_ids"], (0, 7)),
        "attention_mask": pad(inputs["attention_mask"], (0, 7)),
        "char_ids": pad(inputs["char_ids"], (0, 11, 0, 7)),
    }
    torch.testing.assert_close(network(**padded, branches=branches).logits, plain)


def test_routed_answers_come_from_the_branch_that_was_chosen(network: TinyGuardrail) -> None:
    inputs = batch(rows=32)
    logits = network(**inputs).route_info.route_logits
    with torch.no_grad():  # half of the rows on either side
        network.router.decide.bias.sub_(logits.median())
    both, routed = network(**inputs), network(**inputs, branches="routed")
    assert 0 < both.route_decision.sum() < 32
    torch.testing.assert_close(routed.logits, both.logits)


def test_experts_that_did_not_run_report_nothing(network: TinyGuardrail) -> None:
    inputs = batch()
    assert network(**inputs, branches="deep").aux_loss > 0
    with torch.no_grad():
        network.router.decide.bias.fill_(1e3)  # all fast
    for branches in ("fast", "routed"):
        outputs = network(**inputs, branches=branches)
        assert float(outputs.aux_loss) == 0.0
        assert outputs.route_info.expert_load.shape == (0, 4)


def test_every_part_learns(network: TinyGuardrail) -> None:
    outputs = network.train()(**batch(rows=64), labels=torch.arange(64) % 4)
    outputs.loss.backward()
    silent = [name for name, p in network.named_parameters() if p.grad is None]
    assert silent == []


def test_the_router_does_not_bend_the_embeddings(network: TinyGuardrail) -> None:
    info = network(**batch(), labels=torch.zeros(5, dtype=torch.long)).route_info
    info.route_logits.sum().backward()
    assert network.router.dense.weight.grad is not None
    assert network.embeddings.tokens.weight.grad is None


@pytest.mark.parametrize(
    ("change", "field"),
    [({"heads": 5}, "heads"), ({"experts": 7}, "experts"), ({"fast_layers": 1}, "fast_layers"),
     ({"dropout": 1.0}, "dropout")],
)  # fmt: skip
def test_senseless_sizes_are_refused(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        replace(TINY, **change)
