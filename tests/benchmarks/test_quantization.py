"""The table of differences, set by set, on decisions written by hand."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.quantization import FLOATING, set_table
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.training.rows import Row

pytestmark = pytest.mark.train


def test_points_and_changes_are_those_of_each_set() -> None:
    facts = [("benign", "a"), ("injection", "a"), ("jailbreak", "b"), ("harmful_plain", "b")]
    rows = [Row("text", label, Source.USER, name, "", "en") for label, name in facts]
    flagged = {
        FLOATING: np.array([False, True, True, False]),
        "int8": np.array([True, True, False, True]),
    }
    table = set_table(flagged, rows)
    assert list(table) == ["all", "a", "b", "b, harmful_plain"]
    assert table["a"]["int8"] == {"texts": 2, "right": 1, "points": -50.0, "changed": 1}
    assert table["b"]["int8"] == {"texts": 1, "right": 0, "points": -100.0, "changed": 1}
    assert table["b, harmful_plain"]["int8"]["points"] == 100.0
    assert table["all"]["int8"] == {"texts": 4, "right": 2, "points": -25.0, "changed": 3}
    assert all(entry[FLOATING]["changed"] == 0 for entry in table.values())
