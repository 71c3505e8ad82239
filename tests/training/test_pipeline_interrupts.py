"""A pipeline stopped in the middle of every stage goes on there, and ends as one never stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from tinyguardrail_sdk.manifest import REQUIRED_FILES
from tinyguardrail_sdk.training.pipeline import work

pytestmark = [pytest.mark.train, pytest.mark.slow]

# Runs a pipeline whole, then another one that is stopped six times. Each run is a fork, so that
# PyTorch is imported once; a unit of work (a chunk, a micro-batch, a judged row) leaves a line with
# the name of its stage in `NAME.units`. The report has no part to go on from, and is left out.
_SCRIPT = """
import json, os, signal, sys
from pathlib import Path

from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.training import judging, session
from tinyguardrail_sdk.training.data import generate
from tinyguardrail_sdk.training.pipeline import work

SETTINGS = (
    "data.samples=240", "train.schedule.epochs=2", "train.data.max_tokens=32",
    "train.data.overlap=4", "train.network.hidden=16", "train.threads=1",
    "train.validate_every=2", "train.adversarial.kind=none", "compare.texts=8",
)
# Whoever started the tests in the background had it ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
generate._CHUNK, judging._CHUNK = 80, 2
folder = Path(sys.argv[1])
stage, done, last = "", 0, ("", 0, 0)


def counted(function):
    def call(*words):
        global done
        if (stage, done) == last[:2]:
            os.kill(os.getpid(), last[2])
        done += 1
        with units.open("a") as file:
            print(stage, file=file)
        return function(*words)
    return call


def entered(name, do):
    def call(*words):
        global stage, done
        stage, done = name, 0
        return do(*words)
    return call


def report(config, layout):
    layout.report.mkdir()
    for path in (layout.report / "page", layout.metrics):
        path.touch()
    return {}


def judging_counted(make):
    return lambda *words: counted(make(*words))


generate._Maker.__call__ = counted(generate._Maker.__call__)
session.Tally.add = counted(session.Tally.add)
judging._both, judging._routed = map(judging_counted, (judging._both, judging._routed))
work.report = report
for name in ("generate", "train", "export", "evaluate", "compare"):
    setattr(work, name, entered(name, getattr(work, name)))


def ended(name, *stop):
    global last, units
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    last, units = stop, folder / f"{name}.units"
    words = ["pipeline", "--preset", "tiny", "--output", str(folder / name)]
    try:
        status = main([*words, *(word for setting in SETTINGS for word in ("--set", setting))])
    except SystemExit as stopped:
        status = stopped.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


found = [ended("whole", "", 0, 0)]
batches = (folder / "whole.units").read_text().split().count("train")
for stop in (
    ("generate", 2, signal.SIGKILL),
    ("train", 3, signal.SIGINT),
    ("train", batches * 3 // 4, signal.SIGKILL),
    ("export", 5, signal.SIGTERM),
    ("evaluate", 5, signal.SIGKILL),
    ("compare", 11, signal.SIGINT),
    ("", 0, 0),
):
    found.append(ended("stopped", *stop))
print(json.dumps(found))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_pipeline_stopped_in_every_stage_goes_on_there(tmp_path: Path) -> None:
    script = tmp_path / "stopped.py"
    script.write_text(_SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, tmp_path],
        env={**os.environ, "PYTHONPATH": str(Path(work.__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    killed = -signal.SIGKILL
    statuses = [0, killed, 130, killed, 128 + signal.SIGTERM, killed, 130, 0]
    assert json.loads(done.stdout.splitlines()[-1]) == statuses, done.stderr[-2000:]

    again = _units(tmp_path / "stopped.units") - _units(tmp_path / "whole.units")
    batches = again.pop("train", 0)
    assert batches < _units(tmp_path / "whole.units")["train"] / 2  # since the end of an epoch
    assert again == {"export": 1, "evaluate": 1, "compare": 1}  # every other row is kept
    assert _made(tmp_path / "stopped") == _made(tmp_path / "whole")
    assert not [path for path in (tmp_path / "stopped").iterdir() if path.name.startswith(".")]


def _units(path: Path) -> Counter[str]:
    return Counter(path.read_text("utf-8").split())


def _made(root: Path) -> dict[str, Any]:
    """What a run made, times left out."""
    names = (
        *(f"data/{part}.jsonl.gz" for part in ("train", "validation", "test")),
        "train/best/model.safetensors",
        *(f"my-guard/{name}" for name in REQUIRED_FILES),
    )
    made: dict[str, Any] = {name: (root / name).read_bytes() for name in names}
    for name in ("my-guard/manifest.json", "evaluation/evaluation.json", "comparison.json"):
        made[name] = json.loads((root / name).read_text("utf-8"))
    del made["my-guard/manifest.json"]["training"]["minutes"]
    del made["evaluation/evaluation.json"]["manifest_sha256"]
    return made
