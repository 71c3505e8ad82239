"""Scores held-out texts with the network as it is, windows pooled as at run time."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tinyguardrail_sdk.labels import LABELS
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.data.batches import collate, plan_batches
from tinyguardrail_sdk.training.data.corpus import Corpus
from tinyguardrail_sdk.training.network.model import evaluating
from tinyguardrail_sdk.training.scores import Floats, WindowScores, softmax

# Detection is reported at these false-alarm rates; the middle one counts for model choice.
FALSE_ALARMS = (0.002, 0.01, 0.02)


def draw_texts(corpus: Corpus, limit: int, seed: int) -> NDArray[np.int64]:
    """Indices of the texts to validate on, the same at each validation; all where `limit` is 0."""
    texts = np.arange(len(corpus.examples))
    if not limit or limit >= len(texts):
        return texts
    return np.sort(np.random.default_rng(seed).choice(texts, limit, replace=False))


@torch.no_grad()
def window_answers(
    model: nn.Module,
    corpus: Corpus,
    rows: NDArray[np.int64],
    *,
    tokens: int,
    max_rows: int,
    device: torch.device | str = "cpu",
) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """Run both branches on windows.

    Returns:
        (rows, 9): logits of the fast branch, of the deep branch, and the router's; and
        (rows, deep layers, experts) which experts each used, None without rows.
    """
    answers = np.empty((len(rows), 9), np.float64)
    experts: NDArray[np.bool_] | None = None
    with evaluating(model):
        for batch_rows in plan_batches(corpus.lengths[rows], tokens=tokens, max_rows=max_rows):
            outputs = model(**collate(corpus, rows[batch_rows]).inputs(device), branches="both")
            info = outputs.route_info
            parts = [info.fast_logits, info.deep_logits, info.route_logits[:, None]]
            answers[batch_rows] = torch.cat([p.float() for p in parts], 1).cpu().numpy()
            used = info.expert_use.transpose(0, 1).cpu().numpy()
            if experts is None:
                experts = np.empty((len(rows), *used.shape[1:]), bool)
            experts[batch_rows] = used
    return answers, experts


def score_texts(
    model: nn.Module,
    corpus: Corpus,
    texts: NDArray[np.int64],
    *,
    tokens: int,
    max_rows: int,
    device: torch.device | str = "cpu",
) -> WindowScores:
    """Run both branches on every window of the texts.

    Args:
        model: A `TinyGuardrail`, wrapped or not; its mode is kept.
        corpus: Where the windows are.
        texts: Ascending indices of texts.
        tokens: Budget of a batch.
        max_rows: Most windows in a batch.
        device: Where the model is.
    """
    rows = corpus.rows_of(texts)
    answers, experts = window_answers(
        model, corpus, rows, tokens=tokens, max_rows=max_rows, device=device
    )
    facts = corpus.examples[texts]
    return WindowScores(
        fast=answers[:, :4],
        deep=answers[:, 4:8],
        route=answers[:, 8],
        text=np.searchsorted(texts, corpus.rows["example"][rows]),
        labels=facts["label"].astype(np.int64),
        sources=facts["source"].astype(np.int64),
        experts=experts,
    )


def judge(scores: WindowScores) -> dict[str, Any]:
    """Tables for either branch and for the routed answer, and the `score` that chooses models.

    The score is the mean, over both branches, of macro F1 and detection at 1 % false alarms:
    generated validation texts are easy to classify, so F1 alone would choose by chance.
    """
    to_fast = scores.route >= 0
    probabilities = {"fast": softmax(scores.fast), "deep": softmax(scores.deep)}
    probabilities["routed"] = np.where(
        to_fast[:, None], probabilities["fast"], probabilities["deep"]
    )
    report: dict[str, Any] = {"fast_share": float(to_fast.mean())}
    window_labels = scores.labels[scores.text]
    for name, answer in probabilities.items():
        worst = answer[scores.worst(answer)]
        report[name] = {
            "loss": _cross_entropy(worst, scores.labels),
            # What a window costs, as in training, where no text is pooled.
            "window_loss": _cross_entropy(answer, window_labels),
            **metrics.summary(worst, scores.labels, FALSE_ALARMS),
        }
    report["score"] = float(np.mean([_merit(report[name]) for name in ("fast", "deep")]))
    if scores.experts is not None:
        report["expert_use"] = _expert_use(scores.experts, window_labels)
    return report


def _cross_entropy(probabilities: Floats, labels: NDArray[np.int64]) -> float:
    truth = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(truth, 1e-12, 1.0)).mean())


def _expert_use(
    experts: NDArray[np.bool_], labels: NDArray[np.int64]
) -> dict[str, list[list[float]]]:
    """Share of the windows of each class that used each expert: (deep layers, experts)."""
    return {
        str(LABELS[index]): experts[labels == index].mean(0).round(4).tolist()
        for index in np.unique(labels)
    }


def _merit(summary: dict[str, Any]) -> float:
    detection = summary["detection"][f"{FALSE_ALARMS[1]:g}"]
    f1: float = summary["macro_f1"]
    return f1 if detection is None else (f1 + detection) / 2
