from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Source
from tinyguardrail_sdk.manifest import load_manifest
from tinyguardrail_sdk.training import compare as comparison
from tinyguardrail_sdk.training.compare import REGRESSION_SET, Gate, compare, worse
from tinyguardrail_sdk.training.rows import Row, read_rows
from tinyguardrail_sdk.training.tables import render_changes

pytestmark = pytest.mark.train


def _rows(count: int, *sets: str) -> list[Row]:
    names = sets or ("toy",)
    return [
        Row(f"text {i}", str(LABELS[i % 4]), Source.USER, names[i % len(names)], "",
            "de" if i < 40 else "en")
        for i in range(count)
    ]  # fmt: skip


def _compare(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, set[int]], *sets: str
) -> dict[str, comparison.Change]:
    """Compare two checkpoints of which each decides wrongly on some texts only."""
    rows = _rows(400, *sets)

    def judged(path: Path, rows: Sequence[Row], **_: Any) -> tuple[Any, Any]:
        benign = np.array([row.label == "benign" for row in rows])
        benign[list(wrong[path.name])] ^= True
        scores = np.zeros((len(rows), len(LABELS)))
        scores[:, 0] = np.where(benign, 0.9, 0.1)
        scores[:, 1] = 1.0 - scores[:, 0]
        return scores, np.ones(len(rows), bool)

    manifest = load_manifest(checkpoint)
    monkeypatch.setattr(comparison, "load_manifest", lambda _: manifest)
    monkeypatch.setattr(comparison, "judge_texts", judged)
    return compare(Path("new"), Path("old"), rows, Gate())


def test_a_checkpoint_is_not_worse_than_itself(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = _compare(checkpoint, monkeypatch, {"old": {1, 2, 3}, "new": {1, 2, 3}})
    assert not worse(changes)
    assert changes["all"].before == changes["all"].after == 397
    assert (changes["all"].broken, changes["all"].mended) == (0, 0)


def test_broken_answers_beyond_chance_are_worse_where_they_are(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = set(range(0, 120, 4))  # benign texts, the German ones among them
    changes = _compare(checkpoint, monkeypatch, {"old": set(), "new": broken})
    assert set(worse(changes)) == {"all", "class/benign", "source/user", "language/de",
                                   "language/en"}  # fmt: skip
    assert changes["class/benign"].broken == 30
    assert not changes["class/injection"].worse


def test_as_many_mended_as_broken_is_no_loss(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = _compare(checkpoint, monkeypatch, {"old": {0, 4, 8}, "new": {12, 16, 20}})
    assert not worse(changes)
    assert (changes["all"].broken, changes["all"].mended) == (3, 3)


def test_a_few_broken_ones_are_chance(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = _compare(checkpoint, monkeypatch, {"old": {0, 4}, "new": {8, 12, 16, 20, 24, 28}})
    assert changes["class/benign"].chance > 0.01
    assert not worse(changes)


def test_every_set_is_a_group_where_there_are_several(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "an_evaluation_set_with_a_long_name"
    wrong = {"old": {0, 1}, "new": {3}}
    changes = _compare(checkpoint, monkeypatch, wrong, "first", name)
    assert (changes["set/first"].texts, changes["set/first"].mended) == (200, 1)
    assert (changes[f"set/{name}"].broken, changes[f"set/{name}"].mended) == (1, 1)
    assert not any("set/" in group for group in _compare(checkpoint, monkeypatch, wrong, "first"))
    assert Console(width=250).measure(render_changes(changes)).maximum <= 100


def test_rows_outside_the_classes_and_senseless_gates_are_refused(checkpoint: Path) -> None:
    odd = Row("t", "harmful_plain", Source.USER, "toy", "", "en")
    with pytest.raises(InputError, match="harmful_plain"):
        compare(checkpoint, checkpoint, [odd], Gate())
    with pytest.raises(InputError, match="no text"):
        compare(checkpoint, checkpoint, [], Gate())
    with pytest.raises(InputError, match="chance=0"):
        Gate(chance=0.0)
    with pytest.raises(InputError, match="tolerance=1"):
        Gate(tolerance=1.0)


def test_the_built_in_set_has_every_class_and_source() -> None:
    rows = read_rows([REGRESSION_SET], {})
    assert {row.label for row in rows} == set(map(str, LABELS))
    assert {row.source for row in rows} == set(Source)
    assert len({row.text for row in rows}) == len(rows) > 500
