from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from tinyguardrail_sdk.classifier import Classification
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Label, Route, Source
from tinyguardrail_sdk.manifest import load_manifest
from tinyguardrail_sdk.training import evaluate, judging
from tinyguardrail_sdk.training.evaluate import Scored, decisions, tables
from tinyguardrail_sdk.training.rows import Row, judged_rows, read_rows
from tinyguardrail_sdk.training.tables import render


def _row(label: str, **fields: object) -> Row:
    known = {"text": "some text", "source": Source.USER, "set": "toy", "kind": "", "language": "en"}
    return Row(label=label, **{**known, **fields})  # type: ignore[arg-type]


def _write(path: Path, *rows: Mapping[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_source_comes_from_the_row_the_map_or_the_set(tmp_path: Path) -> None:
    text = {"text": "t", "label": "benign"}
    _write(tmp_path / "bipia_x.jsonl", text | {"source": "bipia_x"})
    _write(tmp_path / "mine.jsonl", text | {"source": "mine", "lang": "de", "kind": "k"})
    _write(tmp_path / "test.jsonl", text | {"source": "output"})
    _write(tmp_path / "agentdojo.jsonl", text)
    rows = read_rows([tmp_path], {"mine": Source.DOCUMENT})
    assert {row.set: row.source for row in rows} == {
        "agentdojo": Source.TOOL,
        "bipia_x": Source.DOCUMENT,
        "mine": Source.DOCUMENT,
        "test": Source.OUTPUT,
    }
    assert [(row.language, row.kind) for row in rows if row.set == "mine"] == [("de", "k")]


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path / "bad.jsonl", {"text": "t", "label": "benign"}, {"text": "t"})
    with pytest.raises(ValueError, match=r"bad\.jsonl, line 2"):
        read_rows([path], {})
    with pytest.raises(ValueError, match="no row in"):
        read_rows([_write(tmp_path / "empty.jsonl")], {})


def test_tables_count_by_the_manifests_thresholds(checkpoint: Path) -> None:
    manifest = load_manifest(checkpoint)  # strict 0.3, balanced 0.5, permissive 0.8
    rows = [
        _row("benign", text="x" * 3000),
        _row("benign", language="de"),
        _row("injection", source=Source.TOOL, set="other"),
        _row("obfuscation"),
        _row("harmful_plain"),
    ]
    scores = np.array(
        [
            [0.9, 0.1, 0.0, 0.0],
            [0.6, 0.4, 0.0, 0.0],
            [0.4, 0.6, 0.0, 0.0],
            [0.1, 0.2, 0.0, 0.7],
            [0.6, 0.4, 0.0, 0.0],
        ]
    )
    report = tables(Scored(rows, scores, np.array([True, True, True, False, False])), manifest)
    whole = report["all"]["all"]
    assert (whole["texts"], whole["attacks"]) == (4, 2)
    hits = {mode: (whole["caught"][mode]["hits"], whole["flagged"][mode]["hits"]) for mode in
            ("strict", "balanced", "permissive")}  # fmt: skip
    assert hits == {"strict": (2, 1), "balanced": (2, 0), "permissive": (1, 0)}
    assert whole["accuracy"] == 1.0
    assert whole["auroc"] == 1.0
    assert whole["fast"]["hits"] == 3
    assert report["source"]["tool"]["caught"]["balanced"]["total"] == 1
    assert report["language"]["de"]["texts"] == 1
    assert report["set"]["other"]["auroc"] is None
    assert report["apart"]["toy/harmful_plain"]["flagged"]["strict"]["hits"] == 1
    assert len(report["length"]) == 2

    json.dumps(report)
    from rich.console import Console

    page = StringIO()
    for table in render({"tables": report}):
        Console(file=page, width=100).print(table)
    shown = page.getvalue()
    assert "harmful_plain" in shown
    assert "…" not in shown
    for mode in ("strict", "balanced", "permissive"):
        assert f" {mode} " in shown


def test_decisions_whatever_the_threshold() -> None:
    attack = np.array([True] * 4 + [False] * 100)
    risk = np.concatenate([[0.99, 0.9, 0.8, 0.2], np.linspace(0.0, 0.85, 100)])
    found = decisions(attack, risk, {"balanced": risk >= 0.85})
    assert (found["texts"], found["attacks"]) == (104, 4)
    assert found["caught_at_2"]["hits"] == 2  # two of a hundred lie over 0.84
    assert found["f1"]["balanced"] == pytest.approx(2 * 2 / (2 * 2 + 2 + 1))
    low, high = found["auroc_interval"]
    assert low < found["auroc"] < high


@pytest.mark.parametrize("kind", [True, False])
def test_one_kind_of_texts_has_no_curve(kind: bool) -> None:
    found = decisions(np.full(5, kind), np.linspace(0, 1, 5), {"balanced": np.ones(5, bool)})
    assert found["auroc"] is found["auroc_interval"] is found["caught_at_2"] is None
    assert found["f1"] == {"balanced": None}
    assert found["caught" if kind else "flagged"]["balanced"]["hits"] == 5


def test_tables_of_large_sets_fit_a_hundred_columns() -> None:
    from rich.console import Console

    rate = {"hits": 6_726, "total": 6_760, "rate": 0.998, "low": 0.99, "high": 0.999}
    modes = dict.fromkeys(("strict", "balanced", "permissive"), rate)
    entry = {"caught": modes, "flagged": modes, "auroc": 0.99, "accuracy": 0.9, "macro_f1": 0.9,
             "fast": rate}  # fmt: skip
    groupings = ("all", "set", "source", "length", "language")
    report = {name: {"jackhhao-jailbreak": entry} for name in groupings}
    for table in render({"tables": {**report, "apart": {"advbench/plain": entry}}}):
        assert Console(width=250).measure(table).maximum <= 100


class _FirstWordClassifier:
    """Says what the first word of a text names."""

    def __init__(self, checkpoint: Path) -> None:
        pass

    def classify(self, text: str, source: Source) -> Classification:
        found = LABELS.index(Label(text.split()[0]))
        low, high = 0.01, 0.97
        a, b, c, d = (high if index == found else low for index in range(4))
        return Classification((a, b, c, d), Route.FAST, (), (0, len(text)), (len(text), len(text)))


def test_rows_keep_their_order_through_scoring(
    make_checkpoint: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "EmbeddedClassifier", _FirstWordClassifier)
    labels = [str(LABELS[index % 4]) for index in range(50)]
    path = _write(
        tmp_path / "rows.jsonl", *({"text": f"{label} text", "label": label} for label in labels)
    )
    seen: list[tuple[int, int]] = []
    report = evaluate.evaluate(
        make_checkpoint(), [path], progress=lambda done, total: seen.append((done, total))
    )
    whole = report["tables"]["all"]["all"]
    assert whole["accuracy"] == 1.0
    assert whole["flagged"]["balanced"]["hits"] == 0
    assert seen[-1] == (50, 50)
    assert report["model_version"] == "0.0.1"
    assert len(report["manifest_sha256"]) == 64
    assert report["route"] == "routed"


def test_labels_of_no_class_alone_cannot_be_measured(checkpoint: Path, tmp_path: Path) -> None:
    path = _write(tmp_path / "odd.jsonl", {"text": "t", "label": "atack"})
    with pytest.raises(InputError, match="is judged: benign, injection, .* labels are 'atack'"):
        evaluate.evaluate(checkpoint, [path])


def test_rows_counted_apart_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = ["benign"] * 10 + ["attack", "harmful_plain"]
    path = _write(tmp_path / "odd.jsonl", *({"text": "t", "label": label} for label in labels))
    assert len(judged_rows([path], {})) == 12
    assert capsys.readouterr().err == (
        "tinyguardrail: 2 of 12 rows have a label outside the four (attack, harmful_plain) and are "
        "counted apart\n"
    )
    path = _write(tmp_path / "plain.jsonl", {"text": "t", "label": "benign"})
    judged_rows([path], {})
    assert capsys.readouterr().err == ""


def test_a_source_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = {"text": "t", "label": "benign"}
    _write(tmp_path / "bipia_x.jsonl", text | {"source": "bipia_x"})
    _write(tmp_path / "a.jsonl", text | {"source": "tol"}, text | {"source": "tol"}, text)
    read_rows([tmp_path], {})
    assert capsys.readouterr().err == (
        "tinyguardrail: a source is one of user, tool, document, output, unlike 'tol' of 2 rows "
        "(taken as user), 'bipia_x' of 1 rows (taken as document)\n"
    )
    _write(tmp_path / "a.jsonl", *(text | {"source": f"set {n}"} for n in range(7)))
    read_rows([tmp_path / "a.jsonl"], {})
    assert capsys.readouterr().err.endswith("'set 4' of 1 rows (taken as user), 2 more\n")
    _write(tmp_path / "a.jsonl", text | {"source": "tool"}, text)
    read_rows([tmp_path / "a.jsonl"], {})
    assert capsys.readouterr().err == ""
