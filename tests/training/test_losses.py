"""The focal loss is the published one, its modulating factor learned through."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tinyguardrail_sdk.training.loss_config import LossConfig
from tinyguardrail_sdk.training.losses import distillation_loss, focal_loss

pytestmark = pytest.mark.train

LABELS = torch.tensor([0, 3, 1, 1, 2])


def logits() -> Tensor:
    drawn = torch.randn(5, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return drawn.requires_grad_()


def gradient(loss: Tensor, at: Tensor) -> Tensor:
    return torch.autograd.grad(loss, at)[0]


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
def test_value_and_gradient_are_those_of_the_formula(gamma: float) -> None:
    at = logits()
    loss = focal_loss(at, LABELS, LossConfig(focal_gamma=gamma, label_smoothing=0.0))
    p = at.softmax(-1).gather(1, LABELS[:, None]).squeeze(1)
    formula = (-((1 - p) ** gamma) * p.log()).mean()
    torch.testing.assert_close(loss, formula)
    torch.testing.assert_close(gradient(loss, at), gradient(formula, at))


def test_without_focus_it_is_smoothed_cross_entropy() -> None:
    at = logits()
    loss = focal_loss(at, LABELS, LossConfig(focal_gamma=0.0, label_smoothing=0.1))
    plain = functional.cross_entropy(at, LABELS, label_smoothing=0.1)
    torch.testing.assert_close(gradient(loss, at), gradient(plain, at))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_a_certain_answer_has_a_finite_gradient(gamma: float) -> None:
    certain = torch.tensor([[90.0, -90.0, -90.0, -90.0]], requires_grad=True)
    loss = focal_loss(certain, torch.tensor([0]), LossConfig(focal_gamma=gamma))
    assert gradient(loss, certain).isfinite().all()


def test_a_student_is_pulled_to_its_teacher_and_not_the_other_way() -> None:
    student, teacher = logits(), logits().detach().flip(0).requires_grad_()
    loss = distillation_loss(student, teacher)
    step, back = torch.autograd.grad(loss, [student, teacher], allow_unused=True)
    assert back is None
    with torch.no_grad():
        assert loss > 0
        assert distillation_loss(student - 0.1 * step, teacher) < loss
        torch.testing.assert_close(distillation_loss(teacher + 3.0, teacher), 0.0 * loss)
