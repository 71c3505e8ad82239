"""Mining keeps what a checkpoint does not know, and a share of what it does."""

import numpy as np
import pytest

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.mine import MineConfig, mine
from tinyguardrail_sdk.training.data.schema import Example


def scored(label: Label, benign: float) -> tuple[Example, list[float]]:
    rest = (1 - benign) / 3
    return Example(f"{label} {benign}", label, family="x"), [benign, rest, rest, rest]


def test_unsure_and_wrong_texts_stay_and_known_ones_go() -> None:
    pairs = [
        scored(Label.BENIGN, 0.99),  # known
        scored(Label.BENIGN, 0.8),  # unsure
        scored(Label.INJECTION, 0.99),  # wrong
    ]
    examples, rows = [e for e, _ in pairs], np.array([r for _, r in pairs])
    assert mine(examples, rows, MineConfig(keep_known=0)) == examples[1:]
    assert mine(examples, rows, MineConfig(keep_known=1)) == examples


def test_the_share_of_known_texts_is_about_what_was_asked_for() -> None:
    example, row = scored(Label.BENIGN, 0.99)
    kept = mine([example] * 2000, np.array([row] * 2000), MineConfig(keep_known=0.25))
    assert 420 < len(kept) < 580


@pytest.mark.parametrize(("sure", "keep_known"), [(0.0, 0.5), (0.9, 1.5)])
def test_senseless_settings_are_refused(sure: float, keep_known: float) -> None:
    with pytest.raises(ValueError, match="sure must be in"):
        MineConfig(sure, keep_known)
