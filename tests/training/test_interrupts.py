"""A command that was interrupted goes on, and ends in the bytes that one go would have given."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("datasketch")

from tinyguardrail_sdk.cli.main import main  # noqa: E402
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, MANIFEST_NAME  # noqa: E402
from tinyguardrail_sdk.training import judging  # noqa: E402
from tinyguardrail_sdk.training.data import copies, generate  # noqa: E402
from tinyguardrail_sdk.training.data.kept import Kept  # noqa: E402
from tinyguardrail_sdk.training.data.near import signature  # noqa: E402
from tinyguardrail_sdk.training.data.parts import write_parts  # noqa: E402
from tinyguardrail_sdk.training.data.schema import Example, write_examples  # noqa: E402

pytestmark = pytest.mark.train

GOES_ON, ANEW = "goes on with what is kept", "begins anew"

# Makes a set, and kills itself while the third chunk is being made.
KILLED = """
import os, signal, sys
from pathlib import Path
from tinyguardrail_sdk.training.data import generate
from tinyguardrail_sdk.training.data.kept import Kept
from tinyguardrail_sdk.training.data.parts import write_parts

generate._CHUNK = 100
make = generate._Maker.__call__

def killing(self, number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return make(self, number)

generate._Maker.__call__ = killing
write_parts(generate.GenerateConfig(total=500), Path(sys.argv[1]), kept=Kept(Path(sys.argv[2])))
"""


class Interrupting:
    """Stands in for a function, and interrupts the call of a number; counts those before it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.calls = 0
        self.last = -1

    def __call__(self, *words: Any) -> Any:
        if self.calls == self.last:
            raise KeyboardInterrupt
        self.calls += 1
        return self.function(*words)

    def until(self, calls: int) -> None:
        self.calls, self.last = 0, calls


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_generating_goes_on_after_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    kept = Kept(tmp_path / "kept", told.append)
    script = tmp_path / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    out = tmp_path / "out"
    root = Path(generate.__file__).parents[3]
    done = subprocess.run(
        [sys.executable, script, out, kept.folder or ""],
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert not (out / "train.jsonl.gz").exists()

    monkeypatch.setattr(generate, "_CHUNK", 100)
    make, numbers = generate._Maker.__call__, list[int]()

    def counted(self: Any, number: int) -> Any:
        numbers.append(number)
        return make(self, number)

    monkeypatch.setattr(generate._Maker, "__call__", counted)
    config = generate.GenerateConfig(total=500)
    write_parts(config, out, kept=kept)
    assert numbers[0] == 2
    assert [GOES_ON in line for line in told] == [True]
    write_parts(config, tmp_path / "whole")
    assert _files(out) == _files(tmp_path / "whole")
    assert len(list(out.iterdir())) == len(_files(out))  # what the killed one wrote is gone


def test_generating_something_else_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "_CHUNK", 100)
    make = Interrupting(generate._Maker.__call__)
    monkeypatch.setattr(generate._Maker, "__call__", lambda *words: make(*words))

    def made(name: str, seed: int) -> int:
        words = ["--output", str(tmp_path / name), "--total", "300", "--seed", str(seed)]
        return main(["data", "generate", *words])

    make.until(2)
    assert made("out", 7) == 130
    make.until(-1)
    assert made("out", 8) == 0
    assert ANEW in capsys.readouterr().err
    assert made("whole", 8) == 0
    assert _files(tmp_path / "out") == _files(tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"out", "whole"}


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Rows with copies and near copies among them."""
    path = tmp_path / "rows.jsonl"
    made = list(generate.generate(generate.GenerateConfig(total=120)))
    near = [
        Example(f"{e.text} indeed", e.label, e.source, family=f"near/{place}")
        for place, e in enumerate(made)
        if len(e.text) > 200
    ]
    write_examples(path, [*made, *made[:20], *near])
    return path


@pytest.fixture
def signing(monkeypatch: pytest.MonkeyPatch) -> Interrupting:
    signing = Interrupting(signature)
    monkeypatch.setattr(copies, "signature", lambda text: signing(text))
    monkeypatch.setattr(copies, "_TOGETHER", 10)
    return signing


def test_mixing_goes_on_after_an_interrupt(
    tmp_path: Path,
    rows: Path,
    signing: Interrupting,
    capsys: pytest.CaptureFixture[str],
) -> None:
    held = tmp_path / "held.jsonl"
    write_examples(held, generate.generate(generate.GenerateConfig(seed=3, total=30)))

    def mixed(name: str) -> int:
        words = [str(rows), "--against", str(held), "--output", str(tmp_path / name)]
        return main(["data", "mix", *words])

    assert mixed("whole") == 0
    all_signed = signing.calls
    signing.until(90)
    assert mixed("out") == 130
    assert not list((tmp_path / "out").iterdir())
    capsys.readouterr()
    signing.until(-1)
    assert mixed("out") == 0
    assert GOES_ON in capsys.readouterr().err
    # Ten findings a record, of which exact copies need no signature: at most nine were lost.
    assert all_signed - 90 <= signing.calls < all_signed - 90 + 10
    assert _files(tmp_path / "out") == _files(tmp_path / "whole")


def test_auditing_goes_on_where_it_has_an_output(
    tmp_path: Path, rows: Path, signing: Interrupting
) -> None:
    def audited(*words: str) -> int:
        return main(["data", "audit", str(rows), *words])

    whole, out = (str(tmp_path / name) for name in ("whole.json", "out.json"))
    assert audited("--output", whole) == 0
    all_signed = signing.calls
    signing.until(90)
    assert audited("--output", out) == 130
    signing.until(-1)
    assert audited("--output", out) == 0
    assert signing.calls < all_signed - 80
    assert Path(out).read_bytes() == Path(whole).read_bytes()
    signing.until(90)
    assert audited() == 130
    signing.until(-1)
    assert audited() == 0
    assert signing.calls == all_signed


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Interrupting:
    """Counts the rows that are judged, four together."""
    counter = Interrupting(lambda judge, row: judge(row))

    def counting(make: Callable[..., judging.Judge]) -> Callable[..., judging.Judge]:
        def made(*words: Any) -> judging.Judge:
            judge = make(*words)
            return lambda row: counter(judge, row)

        return made

    monkeypatch.setattr(judging, "_CHUNK", 4)
    for name in ("_routed", "_forced", "_both"):
        monkeypatch.setattr(judging, name, counting(getattr(judging, name)))
    return counter


def _checkpoint(folder: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_CHECKPOINT, folder))


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "ROWS"],
        ["evaluate", "ROWS", "--route", "fast"],
        ["robustness", "ROWS", "--mutation", "lower", "--texts", "6"],
        ["data", "mine", "ROWS"],
        ["data", "mutate", "ROWS", "--only-missed", "--variants", "1"],
        ["compare", str(DEFAULT_CHECKPOINT), "--data", "ROWS"],
    ],
    ids=lambda words: " ".join(words[: 2 + (words[0] == "data")]),
)
def test_judging_goes_on_after_an_interrupt(
    tmp_path: Path,
    judged: Interrupting,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:
    rows = tmp_path / "rows.jsonl"
    write_examples(rows, list(generate.generate(generate.GenerateConfig(total=40)))[:40])
    words = [str(rows) if word == "ROWS" else word for word in command]

    def judge(name: str) -> bytes | None:
        status = main([*words, "--output", str(tmp_path / name)])
        return (tmp_path / name).read_bytes() if status == 0 else None

    whole = judge("whole")
    all_judged, shown = judged.calls, capsys.readouterr().out
    assert all_judged > 10
    judged.until(10)
    assert judge("out") is None
    assert not (tmp_path / "out").exists()
    capsys.readouterr()
    judged.until(-1)
    assert judge("out") == whole
    again = capsys.readouterr()
    assert again.out == shown
    assert GOES_ON in again.err
    assert judged.calls == all_judged - 8
    assert {path.name for path in tmp_path.iterdir()} == {"rows.jsonl", "whole", "out"}


def test_calibrating_goes_on_after_an_interrupt(
    tmp_path: Path, judged: Interrupting, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.jsonl"
    write_examples(rows, list(generate.generate(generate.GenerateConfig(total=40)))[:40])
    whole, out = (_checkpoint(tmp_path / name) for name in ("whole", "out"))

    def calibrated(checkpoint: Path) -> int:
        words = ["--checkpoint", str(checkpoint), "--validation", str(rows)]
        return main(["calibrate", *words])

    before = (out / MANIFEST_NAME).read_bytes()
    assert calibrated(whole) == 0
    all_judged = judged.calls
    judged.until(21)
    assert calibrated(out) == 130
    assert (out / MANIFEST_NAME).read_bytes() == before
    capsys.readouterr()
    judged.until(-1)
    assert calibrated(out) == 0
    assert GOES_ON in capsys.readouterr().err
    assert judged.calls == all_judged - 20
    assert (out / MANIFEST_NAME).read_bytes() == (whole / MANIFEST_NAME).read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"rows.jsonl", "whole", "out"}
