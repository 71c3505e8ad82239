from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.errors import CheckpointError, InputError
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, load_manifest
from tinyguardrail_sdk.training import commands, train
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.export import release as releasing
from tinyguardrail_sdk.training.export.bundle import export
from tinyguardrail_sdk.training.export.release import Release, ReleaseConfig, release
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.restore import restore

pytestmark = pytest.mark.train

# Releases, and kills itself while the new checkpoint is being calibrated.
KILLED = """
import os, signal, sys
from pathlib import Path
from tinyguardrail_sdk.training.export.release import ReleaseConfig, release

run, out, texts, against = map(Path, sys.argv[1:])
config = ReleaseConfig("2", validation=(texts,), against=against, data=(texts,))
release(run, out, config, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
"""


@pytest.fixture
def run(make_config: Callable[..., TrainConfig], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One toy run, of which nothing is changed."""
    kept = tmp_path_factory.getbasetemp() / "released-run"
    if not kept.exists():
        train.main(make_config(output=str(kept), schedule={"max_steps": 80}))
    return kept / "best"


@pytest.fixture
def config(toy: Path, run: Path, tmp_path: Path) -> ReleaseConfig:
    """Compare with an export of the same run on the toy's validation texts."""
    export(run, tmp_path / "old", model_version="1")
    texts = (toy / "validation.jsonl",)
    return ReleaseConfig("2", validation=texts, against=tmp_path / "old", data=texts)


def test_a_release_is_calibrated_compared_and_whole(
    run: Path, config: ReleaseConfig, tmp_path: Path
) -> None:
    parts = set()
    made = release(run, tmp_path / "new", config, lambda part, *_: parts.add(part))
    manifest = load_manifest(tmp_path / "new")
    assert (made.released, manifest.name, manifest.model_version) == (True, "new", "2")
    assert manifest.metrics["calibration"]["texts"] == 40
    assert manifest.metrics["comparison"]["changes"]["all"]["texts"] == 40
    assert parts == {"write", "calibrate", "old", "new"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_what_a_killed_release_left_goes_with_the_next(
    run: Path, config: ReleaseConfig, tmp_path: Path
) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    words = [script, run, tmp_path / "new", config.validation[0], config.against]
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": str(Path(releasing.__file__).parents[3])},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "new").exists()
    assert list(tmp_path.glob(".*"))
    assert release(run, tmp_path / "new", config).released
    assert {path.name for path in tmp_path.iterdir()} == {"new", "old", script.name}


@pytest.mark.parametrize("allowed", [False, True])
def test_a_worse_checkpoint_is_written_only_when_told(
    run: Path,
    config: ReleaseConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    allowed: bool,
) -> None:
    monkeypatch.setattr(releasing, "worse", lambda changes: ["all"])
    told = ReleaseConfig("2", config.validation, config.against, config.data, allow_worse=allowed)
    made = release(run, tmp_path / "new", told)
    assert (made.released, made.worse) == (allowed, ["all"])
    assert (tmp_path / "new").exists() is allowed


def test_nothing_is_overwritten_and_nothing_released_blindly(
    run: Path, config: ReleaseConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="exists"):
        release(run, config.against, config)
    working = tmp_path / "work"
    working.mkdir()
    (working / "bystander").touch()
    monkeypatch.chdir(working)
    for there in ("..", "."):
        with pytest.raises(InputError, match="exists"):
            release(run, Path(there), config)
    assert list(working.iterdir()) == [working / "bystander"]
    with pytest.raises(InputError, match="--validation"):
        ReleaseConfig("2", validation=())


def test_a_release_says_where_it_is(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Release(load_manifest(DEFAULT_CHECKPOINT), {}, [], released=True)
    monkeypatch.setattr(commands, "release", lambda *_: made)
    words = ["export", "--run", str(run), "--output", str(tmp_path / "new"), "--release"]
    assert main(words) == 0
    assert f"tinyguardrail: released: {tmp_path / 'new'}\n" in capsys.readouterr().err


def test_the_commands(
    run: Path, config: ReleaseConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(*words: object) -> tuple[int, dict[str, Any], str]:
        status = main([str(word) for word in words])
        captured = capsys.readouterr()
        lines = captured.out.splitlines()
        return status, json.loads(lines[-1]) if lines else {}, captured.err

    old, texts = config.against, config.data[0]
    status, report, _ = ask("compare", old, "--against", old, "--data", texts)
    assert (status, report["worse"], report["changes"]["all"]["texts"]) == (0, [], 40)

    sets = tmp_path / "sets"
    sets.mkdir()
    (sets / "plain.jsonl").write_text('{"text": "x", "label": "harmful_plain"}\n', "utf-8")
    shutil.copyfile(texts, sets / "toy.jsonl")
    status, report, told = ask("compare", old, "--against", old, "--data", sets)
    assert (status, report["changes"]["all"]["texts"]) == (0, 40)
    assert "1 rows of no class left out" in told

    status, _, told = ask("export", "--run", run, "--output", tmp_path / "plain")
    assert (status, "thresholds are neutral until `tinyguardrail calibrate" in told) == (0, True)

    status, _, error = ask("export", "--run", run, "--output", tmp_path / "x", "--allow-worse")
    assert (status, "--release" in error) == (2, True)

    traffic = tmp_path / "traffic.jsonl"
    rows = [{"text": f"red green tree {n}"} for n in range(300)]
    traffic.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    before = load_manifest(old)
    status, report, told = ask(
        "calibrate", "--checkpoint", old, "--benign", traffic, "--target-fpr", "0.04"
    )
    assert "kept for user" not in told
    assert "thresholds kept for tool (strict, balanced, permissive): balanced at" in told
    assert (status, report["texts"]) == (0, 300)
    assert report["flagged_after"]["balanced"]["hits"] <= 12
    assert load_manifest(old).temperature == before.temperature

    status, _, error = ask("calibrate", "--checkpoint", old)
    assert (status, "--benign" in error) == (2, True)
    status, _, error = ask("calibrate", "--checkpoint", old, "--benign", texts)
    assert (status, "--benign takes harmless texts only" in error) == (2, True)
    rows = [json.loads(line) for line in texts.read_text("utf-8").splitlines()]
    assert not any(row["text"][:20] in error for row in rows)  # what users wrote is no message


def test_four_bit_files_say_so_and_are_nothing_to_go_on_from(
    make_config: Callable[..., TrainConfig], tmp_path: Path
) -> None:
    wide = {"hidden": 64, "expert_ffn": 64}
    config = make_config(network=wide, schedule={"max_steps": 1})
    train.main(config)
    manifest = export(config.output / "best", tmp_path / "s", model_version="3", four_bit=True)
    assert manifest.training["weights"].startswith("int4")
    with pytest.raises(CheckpointError, match="int8 export"):
        restore(TinyGuardrail(config.network), tmp_path / "s")
