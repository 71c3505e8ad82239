"""The search for the worst shift, and the loop that learns from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tinyguardrail_sdk.training import adversarial, loop, session, train
from tinyguardrail_sdk.training.adversarial import worst_shift
from tinyguardrail_sdk.training.checkpoint import load_model, load_weights
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.data.batches import Batch, collate
from tinyguardrail_sdk.training.data.corpora import load_corpus
from tinyguardrail_sdk.training.hardening import AdversarialConfig, Kind
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.quantization import prepare

pytestmark = pytest.mark.train

MakeConfig = Callable[..., TrainConfig]
BALL = AdversarialConfig("pgd", epsilon=0.1, steps=10)  # enough for PGD to converge


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("learned")


@pytest.fixture
def learned(make_config: MakeConfig, folder: Path) -> tuple[TinyGuardrail, Batch]:
    """A network that half knows the toy task, in training mode, and a batch with padding."""
    config = make_config(output=str(folder / "run"), schedule={"max_steps": 30})
    if not (folder / "run").exists():
        train.main(config)
    model, _ = load_model(folder / "run" / "best")
    batch = collate(load_corpus(config, "validation"), np.arange(24))
    assert not batch.attention_mask.all()
    return model.train(), batch


def _losses(model: TinyGuardrail, batch: Batch, shift: Tensor | None = None) -> Tensor:
    model.eval()
    with torch.no_grad():
        info = model(**batch.inputs("cpu"), perturbation=shift).route_info
    model.train()
    assert info.fast_logits is not None
    assert info.deep_logits is not None
    return sum(
        (functional.cross_entropy(logits, batch.labels, reduction="none")
         for logits in (info.fast_logits, info.deep_logits)),
        torch.zeros(len(batch.labels)),
    )  # fmt: skip


def _search(model: TinyGuardrail, batch: Batch, kind: Kind, seed: int = 0) -> Tensor:
    start = torch.Generator().manual_seed(seed)
    return worst_shift(model, batch.inputs("cpu"), batch.labels, BALL, kind=kind, generator=start)


def test_fgsm_raises_the_loss_and_pgd_raises_it_more(
    learned: tuple[TinyGuardrail, Batch],
) -> None:
    model, batch = learned
    plain = _losses(model, batch).mean()
    fgsm = _losses(model, batch, _search(model, batch, "fgsm")).mean()
    pgd = _losses(model, batch, _search(model, batch, "pgd")).mean()
    at_random = torch.randn_like(_search(model, batch, "fgsm"))
    at_random = functional.normalize(at_random, dim=-1) * _search(model, batch, "fgsm").norm(
        dim=-1, keepdim=True
    )
    assert fgsm > plain + 3 * abs(_losses(model, batch, at_random).mean() - plain)
    assert pgd >= fgsm


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_the_shift_stays_in_the_ball_and_off_the_padding(
    learned: tuple[TinyGuardrail, Batch], kind: Kind
) -> None:
    model, batch = learned
    shift = _search(model, batch, kind)
    inputs = batch.inputs("cpu")
    model.eval()
    names = ("input_ids", "char_ids", "pattern_scores", "segment_ids")
    length = model.embeddings(*(inputs[name] for name in names)).norm(dim=-1)
    moved = shift.norm(dim=-1)
    mask = batch.attention_mask
    assert (moved <= BALL.epsilon * length * (1 + 1e-5)).all()
    assert (moved[mask] > 0.1 * BALL.epsilon * length[mask]).float().mean() > 0.9
    assert not shift[~mask].any()
    assert not shift.requires_grad


@pytest.mark.parametrize("kind", ["fgsm", "pgd"])
def test_the_search_leaves_no_trace(learned: tuple[TinyGuardrail, Batch], kind: Kind) -> None:
    model, batch = learned
    model(**batch.inputs("cpu"), labels=batch.labels).loss.backward()
    before = {
        name: None if p.grad is None else p.grad.clone() for name, p in model.named_parameters()
    }
    random_state = torch.get_rng_state()
    _search(model, batch, kind)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert model.training
    for name, parameter in model.named_parameters():
        kept = before[name]
        assert (parameter.grad is None) == (kept is None)
        assert kept is None or torch.equal(parameter.grad, kept)  # type: ignore[arg-type]


def test_the_start_of_pgd_follows_from_its_generator(learned: tuple[TinyGuardrail, Batch]) -> None:
    one, again, other = (_search(*learned, "pgd", seed) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_the_search_sees_the_quantised_arithmetic(learned: tuple[TinyGuardrail, Batch]) -> None:
    model, batch = learned
    prepare(model)
    plain = _losses(model, batch).mean()
    assert _losses(model, batch, _search(model, batch, "fgsm")).mean() > plain


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_the_search_works_in_low_precision(
    learned: tuple[TinyGuardrail, Batch], precision: torch.dtype
) -> None:
    model, batch = learned
    shift = worst_shift(
        model,
        batch.inputs("cpu"),
        batch.labels,
        BALL,
        kind="fgsm",
        autocast=lambda: torch.autocast("cpu", precision),
    )
    assert shift.dtype == torch.float32
    assert _losses(model, batch, shift).mean() > _losses(model, batch).mean()


def _stop_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the loop to end, as a signal would."""
    seen: list[int] = []
    agree = session.agree

    def counted(accelerator: Any, elapsed: float, stop: bool) -> tuple[float, bool]:
        seen.append(1)
        return agree(accelerator, elapsed, stop or len(seen) > batches)

    monkeypatch.setattr(loop, "agree", counted)


def _same(a: Path, b: Path) -> bool:
    one, two = load_weights(a, raw=True), load_weights(b, raw=True)
    return all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    "recipe",
    [
        {"adversarial": {"kind": "fgsm"}},
        {
            "adversarial": {"kind": "pgd", "from_share": 0.4},
            "optimizer": {"accumulation": 2, "ema": 0.9},
            "schedule": {"quantized_from": 0.6},
        },
    ],
    ids=["fgsm", "pgd, accumulated, averaged, quantised"],
)
def test_an_adversarial_run_resumes_to_the_same_weights(
    make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: dict[str, Any]
) -> None:
    whole = make_config(output=str(tmp_path / "whole"), **recipe)
    halved = make_config(output=str(tmp_path / "halved"), **recipe)
    train.main(whole)
    with monkeypatch.context() as patch:
        _stop_after(5, patch)
        assert train.main(halved).step == 5
    train.main(halved, resume=True)
    assert _same(whole.output / "step-8", halved.output / "step-8")


def test_it_changes_what_is_learned_only_where_it_is_on(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    def run(name: str, **adversarial: Any) -> Path:
        config = make_config(
            output=str(tmp_path / name), adversarial=adversarial, schedule={"max_steps": 3}
        )
        train.main(config)
        return config.output / "step-3"

    plain = run("plain", kind="none", epsilon=0.3, share=1.0)
    assert _same(plain, run("late", kind="fgsm", from_share=0.99, share=1.0))
    assert not _same(plain, run("on", kind="fgsm", share=1.0))


def test_robust_accuracy_is_reported_where_it_is_on(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    def validations(**changes: Any) -> Iterator[dict[str, Any]]:
        name = str(tmp_path / str(len(changes)))
        config = make_config(output=name, schedule={"max_steps": 2}, **changes)
        train.main(config)
        for line in (config.output / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if record["kind"] == "validation":
                yield record

    assert all("robust" not in record for record in validations())
    on = list(validations(adversarial={"kind": "fgsm", "windows": 20, "epsilon": 0.3}))
    for record in on:
        robust = record["robust"]
        assert robust["windows"] == 20
        for branch in ("fast", "deep"):
            accuracies = [robust[kind][branch]["accuracy"] for kind in ("plain", "fgsm", "pgd")]
            assert accuracies[0] >= accuracies[1]
            assert all(
                0 <= robust["pgd"][branch][key] <= 1 for key in ("detection", "false_alarms")
            )


class _Accelerator:
    """One process on the CPU that only counts what it is asked to learn from."""

    device = torch.device("cpu")
    num_processes, process_index = 1, 0
    autocast = staticmethod(nullcontext)

    def __init__(self) -> None:
        self.losses: list[float] = []

    def backward(self, loss: Tensor) -> None:
        self.losses.append(float(loss.detach()))


def test_the_share_and_the_weight_are_as_asked(learned: tuple[TinyGuardrail, Batch]) -> None:
    model, batch = learned
    model.eval()
    counter: Any = _Accelerator()
    config = replace(BALL, kind="fgsm", share=0.25, weight=0.1, from_share=0.5)
    adversary = adversarial.Adversary(config, counter, model, model, seed=3)
    assert all(adversary.learn(batch, number, 0.49) is None for number in range(20))
    losses = [adversary.learn(batch, number, 0.5) for number in range(80)]
    found = [float(loss) for loss in losses if loss is not None]
    assert 10 <= len(found) <= 30
    assert counter.losses == pytest.approx([0.1 * loss for loss in found])


@pytest.mark.parametrize(
    ("field", "value"),
    [("epsilon", 0), ("step_size", 2), ("steps", 0), ("share", 0), ("from_share", 1),
     ("weight", 0), ("windows", 0)],
)  # fmt: skip
def test_senseless_settings_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        replace(AdversarialConfig(), **{field: value})  # type: ignore[arg-type]
