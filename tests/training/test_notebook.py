"""The notebook that ships: clean on disk, and its cells run from the first to the last."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

import tinyguardrail_sdk

pytestmark = pytest.mark.train

_PACKAGE = Path(tinyguardrail_sdk.__file__).parent
_NOTEBOOK = _PACKAGE / "training" / "notebooks" / "tinyguardrail_colab.ipynb"
_SMALL = (
    "data.samples=240 train.schedule.epochs=1 train.data.max_tokens=32 train.data.overlap=4 "
    "train.network.hidden=16 train.threads=1 compare.texts=8"
)


def _cells(kind: str) -> list[dict[str, Any]]:
    notebook = json.loads(_NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_it_ships_without_results() -> None:
    cells = _cells("code")
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    names = [cell["id"] for cell in (*cells, *_cells("markdown"))]
    assert len(names) == len(set(names))
    assert "drive.mount" in _source()


def test_its_cells_run_with_the_tiny_preset(tmp_path: Path) -> None:
    told = {
        "TINYGUARDRAIL_PRESET": "tiny",
        "TINYGUARDRAIL_SETTINGS": _SMALL,
        "PYTHONPATH": str(_PACKAGE.parent),
    }
    ran = subprocess.run(
        [sys.executable, "-c", _source()],
        cwd=tmp_path,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "worse than the shipped checkpoint in:" in ran.stdout
    assert "roc.png" in ran.stdout
    with zipfile.ZipFile(tmp_path / "runs" / "tiny" / "bundle.zip") as bundle:
        names = set(bundle.namelist())
    assert {"my-guard/manifest.json", "report/report.html", "final_metrics.json"} <= names


def _source() -> str:
    return "\n".join("".join(cell["source"]) for cell in _cells("code"))
