"""The pipelines that ship: `colab` for one GPU, `large` for patience, `tiny` to see it work."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from tinyguardrail_sdk.features import MAX_TOKENS

_EPOCHS, _ROWS = 5, 16


def _from_epoch(number: int) -> float:
    """Share of the run that is over when an epoch, counted from 1, begins."""
    return (number - 1) / _EPOCHS


# A step is 16 windows times 4 micro-batches; the budget of tokens never cuts the 16. Adversarial
# from the beginning of the third epoch, on every other micro-batch; the arithmetic of the INT8
# export from the beginning of the fourth.
_RECIPE: Final[Mapping[str, Any]] = {
    "init": "shipped",
    "data": {"max_rows": _ROWS, "tokens_per_batch": _ROWS * MAX_TOKENS},
    "optimizer": {"accumulation": 4},
    "schedule": {"epochs": _EPOCHS, "quantized_from": _from_epoch(4)},
    "adversarial": {"kind": "fgsm", "share": 0.5, "from_share": _from_epoch(3)},
}

_SMALL_NETWORK: Final[Mapping[str, Any]] = {
    "hidden": 32, "heads": 2, "char_filters": 4, "char_dim": 4, "fast_layers": 2, "fast_ffn": 32,
    "deep_layers": 2, "experts": 4, "expert_ffn": 32, "router_hidden": 16,
}  # fmt: skip

# Patience is about one epoch, of the two that are quantised.
PRESETS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "colab": {
            "workers": 2,
            "data": {"samples": 15_000},
            "train": {**_RECIPE, "validate_every": 100, "patience": 3},
        },
        "large": {
            "workers": 2,
            "data": {"samples": 140_000},
            "train": {**_RECIPE, "validate_every": 500, "patience": 5},
        },
        # The same recipe with a network that learns little: every stage runs, nothing is good.
        "tiny": {
            "data": {"samples": 600},
            "train": {
                **_RECIPE,
                "init": "scratch",
                "threads": 1,  # more threads than free cores wait for each other
                "validate_every": 10,
                "log_every": 5,
                "data": {**_RECIPE["data"], "workers": 1},
                "optimizer": {**_RECIPE["optimizer"], "lr": 2e-3, "new_lr": 5e-3},
                "network": _SMALL_NETWORK,
            },
            "compare": {"texts": 150},
        },
    }
)
