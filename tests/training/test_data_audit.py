"""Audits: a shortcut that is there is found, one that is not there is not, and the advice fits."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("datasketch")

from tinyguardrail_sdk.cli.main import main  # noqa: E402
from tinyguardrail_sdk.errors import InputError  # noqa: E402
from tinyguardrail_sdk.training.data.audit import AuditConfig, audit  # noqa: E402
from tinyguardrail_sdk.training.data.surface import ending, layout, script  # noqa: E402

pytestmark = pytest.mark.train

_WORDS = "tea cup oven bread river stone lamp paper cloud garden window pencil".split()


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def rows(count: int, benign_words: int, attack_words: int) -> list[dict[str, Any]]:
    rng = random.Random(1)
    made = []
    for index in range(count):
        label = ("benign", "injection")[index % 2]
        size = (benign_words, attack_words)[index % 2] + rng.randrange(4)
        text = " ".join(rng.choices(_WORDS, k=size)) + f" {index}"
        terms = "non-commercial" if index == 0 else "permissive"
        made.append({"text": text, "label": label, "upstream": label, "terms": terms})
    return made


def run(path: Path) -> dict[str, Any]:
    return audit(AuditConfig((path,)), lambda done, total: None)


def test_a_shortcut_by_length_is_found_and_explained(tmp_path: Path) -> None:
    report = run(write(tmp_path / "a.jsonl", rows(300, 6, 12)))
    by = report["shortcuts_fitted"]["by"]
    assert by["length"]["auroc"] > 0.9
    assert by["length"]["accuracy"] > 0.9 > report["shortcuts_fitted"]["majority"]
    assert by["source"]["auroc"] == 0.5
    assert any(text.startswith("length alone can tell") for text in report["warnings"])


def test_no_shortcut_is_invented(tmp_path: Path) -> None:
    report = run(write(tmp_path / "a.jsonl", rows(400, 8, 8)))
    assert 0.4 < report["shortcuts_fitted"]["by"]["length"]["auroc"] < 0.6
    assert not any("alone can tell" in text for text in report["warnings"])


def test_copies_terms_rare_classes_and_pure_upstreams_are_warned_of(tmp_path: Path) -> None:
    made = rows(400, 8, 8)
    made += made[:20]
    made.append({**made[1], "label": "jailbreak"})
    report = run(write(tmp_path / "a.jsonl", made))
    assert report["copies"]["copy"] == pytest.approx(20 / 421, abs=1e-4)
    assert report["across"]["upstream"]["benign"] == {"benign": 210}
    text = "\n".join(report["warnings"])
    for part in (
        "copies or near copies",
        "another class",
        "non-commercial",
        "class jailbreak has 1",
        "values of upstream have one class only",
    ):
        assert part in text


def test_too_few_rows_are_told_and_not_judged(tmp_path: Path) -> None:
    report = run(write(tmp_path / "a.jsonl", rows(20, 6, 12)))
    assert report["shortcuts_fitted"] == {}
    assert any("too few rows" in text for text in report["warnings"])
    with pytest.raises(InputError, match="no row with a class"):
        run(write(tmp_path / "b.jsonl", [{"text": "x", "label": "harmful_plain"}]))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": "b"}', "json"),
        ("<p>a</p><p>b</p>", "html"),
        ("| a | b |\n| c | d |", "grid"),
        ("# Title\n\nwords", "markdown"),
        ("- one\n- two", "markdown"),
        ("import a\nx = 1\ny = 2", "code"),
        ("plain words - and a dash", "plain"),
    ],
)
def test_layout(text: str, found: str) -> None:
    assert layout(text) == found


def test_ending_and_script() -> None:
    assert [ending(t) for t in ("a? ", "a", "a1", "a)", "a~", "")] == [
        "?", "letter", "digit", "bracket or quote", "other", "nothing",
    ]  # fmt: skip
    assert [script(t) for t in ("ab", "щи", "日本", "1!")] == ["latin", "cyrillic", "cjk", "none"]


def test_the_commands_end_in_one_line_of_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(write(tmp_path / "a.jsonl", rows(200, 6, 12)))
    out = str(tmp_path / "out")
    for words, key in (
        (("audit", data, "--output", f"{out}.json"), "warnings"),
        (("mix", data, "--output", out, "--share", "benign=0.5", "--cap", "benign=9"), "kept"),
        (("fetch", "--list"), "xstest"),
    ):
        assert main(("data", *words)) == 0
        shown = capsys.readouterr().out.splitlines()
        assert len(shown) > 3
        assert key in json.loads(shown[-1])
    assert json.loads((tmp_path / "out/mix.json").read_text())["kept"] == 18
    for wrong in (("fetch", "xstest"), ("mix", data, "--output", out, "--share", "evil=1")):
        assert main(("data", *wrong)) == 2
        assert "Traceback" not in capsys.readouterr().err
