"""The mean of checkpoints: of which weights, of whose configuration, and of what it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.training import mean
from tinyguardrail_sdk.training.checkpoint import (
    RunFolder,
    Snapshot,
    load_facts,
    load_model,
    load_weights,
    stored_config,
)
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.export.bundle import export
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.restore import restore
from tinyguardrail_sdk.training.run_files import BEST

pytestmark = pytest.mark.train

Keep = Callable[..., Path]


@pytest.fixture
def keep(make_config: Callable[..., TrainConfig], tmp_path: Path) -> Keep:
    """`best` of a run that learned nothing, with weights of its own seed."""

    def kept(name: str, seed: int, vocab: bytes = b"", **network: Any) -> Path:
        config = make_config(network=network)
        torch.manual_seed(seed)
        weights = TinyGuardrail(config.network, config.losses).state_dict()
        facts = {
            "version": "1.2.3", "code": "unknown", "config": stored_config(config), "corpora": {},
            "position": {"step": seed, "elapsed": 60.0}, "metrics": {"accuracy": 0.9},
        }  # fmt: skip
        snapshot = Snapshot(weights, None, None, facts, vocab or config.data.vocab.read_bytes())
        return RunFolder(tmp_path / name).save_best(snapshot)

    return kept


def test_each_checkpoint_that_is_read_is_told(keep: Keep, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    runs = [keep(name, seed) for seed, name in enumerate("abc", 1)]
    mean.average(runs, tmp_path / "mean", progress=lambda *counts: told.append(counts))
    assert told == [(1, 3), (2, 3), (3, 3)]


def average(*words: object) -> int:
    return main(["average", *map(str, words)])


@pytest.mark.parametrize(
    ("share", "parts"), [((), (1 / 3, 1 / 3)), (("--share", "0.5"), (0.5, 0.25))]
)
def test_real_weights_are_averaged_and_the_rest_is_the_firsts(
    keep: Keep, tmp_path: Path, share: tuple[str, ...], parts: tuple[float, float]
) -> None:
    runs = [keep(name, seed) for seed, name in enumerate("abc", 1)]
    assert average(*runs, *share, "--output", tmp_path / "mean") == 0
    best = tmp_path / "mean" / BEST
    first, *others = map(load_weights, runs)
    for key, found in load_weights(best).items():
        if found.is_floating_point():
            wanted = parts[0] * first[key] + parts[1] * sum(other[key] for other in others)
            torch.testing.assert_close(found, wanted)
        else:
            assert torch.equal(found, first[key])
    facts = load_facts(best)
    assert (facts["position"]["step"], facts["metrics"]) == (1, {})
    assert [entry["from"] for entry in facts["averaged"]] == ["a/best", "b/best", "c/best"]


def test_an_exported_checkpoint_has_a_part_and_the_mean_is_exported(
    keep: Keep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, exported = keep("a", 1), tmp_path / "exported"
    export(keep("b", 2), exported, model_version="7")
    assert average(first, exported, "--share", 0.75, "--output", tmp_path / "mean") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["averaged"]
    assert told == [{"from": "a/best", "share": 0.75}, {"from": "exported 7", "share": 0.25}]

    model, _ = load_model(first)
    restore(model, exported)
    theirs, ours = model.state_dict(), load_weights(first)
    found = load_weights(tmp_path / "mean" / BEST)
    key = "deep.head.classify.weight"
    assert torch.equal(found[key], 0.75 * ours[key] + 0.25 * theirs[key])

    manifest = export(tmp_path / "mean" / BEST, tmp_path / "again", model_version="8")
    assert manifest.training["averaged"] == told


def test_a_run_goes_on_from_a_mean(
    keep: Keep, make_config: Callable[..., TrainConfig], tmp_path: Path
) -> None:
    average(keep("a", 1), keep("b", 2), "--output", tmp_path / "mean")
    config = make_config(init=str(tmp_path / "mean" / BEST), schedule={"max_steps": 1})
    (tmp_path / "run.json").write_text(json.dumps(config.to_dict()), encoding="utf-8")
    assert main(["train", "--config", str(tmp_path / "run.json")]) == 0


def test_weights_without_a_mean_are_refused(
    keep: Keep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = keep("a", 1)
    wider = tmp_path / "wider"  # one whose strongest neurons would fit
    export(keep("b", 2, fast_ffn=32), wider, model_version="1")
    for other, said in (
        (keep("c", 3, hidden=32), "network.hidden is 32, not 16"),
        (wider, "network.fast_ffn is 32, not 16"),
        (keep("d", 4, vocab=b"[PAD]\n[UNK]\n"), "another vocabulary"),
        (Path("shipped"), "of another network"),
    ):
        assert average(first, other, "--output", tmp_path / "mean") == 2
        assert said in capsys.readouterr().err
    assert average(first, keep("e", 5, dropout=0.3), "--output", tmp_path / "mean") == 0


def test_a_wrong_command_line_is_refused_with_the_remedy(
    keep: Keep, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, other = keep("a", 1), keep("b", 2)
    exported = tmp_path / "exported"
    export(other, exported, model_version="1")
    unused = ("--output", tmp_path / "mean")
    for words, said in (
        ((first, *unused), "give two or more"),
        ((first, other, "--share", "1.5", *unused), "between 0 and 1"),
        ((first, other.parent, *unused), f"CHECKPOINT: {other.parent}: holds no trained weights"),
        ((exported, first, *unused), "the first CHECKPOINT"),
        ((first, other, "--output", first.parent), "holds a run"),
    ):
        assert average(*words) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "mean").exists()
