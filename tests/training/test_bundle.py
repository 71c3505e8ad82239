"""The exported folder: its name, and what its manifest says of the run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest

from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.errors import CheckpointError, InputError
from tinyguardrail_sdk.manifest import hash_of, load_manifest
from tinyguardrail_sdk.training.checkpoint import RunFolder, Snapshot, stored_config
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.data.corpus import VOCABULARY
from tinyguardrail_sdk.training.export.bundle import export, staying
from tinyguardrail_sdk.training.export.four_bit import BLOCK
from tinyguardrail_sdk.training.export.graph import Graph
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.run_files import FACTS

pytestmark = pytest.mark.train


@pytest.fixture
def config(make_config: Callable[..., TrainConfig], tmp_path: Path) -> TrainConfig:
    return make_config(
        init=str(tmp_path / "before" / "best"),
        distillation={"teacher": str(tmp_path / "taught" / "by")},
    )


@pytest.fixture
def best(config: TrainConfig, tmp_path: Path) -> Path:
    return _kept(config, tmp_path / "run")


def _kept(config: TrainConfig, folder: Path, scale: float = 1.0) -> Path:
    """`best` of a run that has not learned anything."""
    vocab = config.data.vocab
    facts = {
        "version": "1.2.3", "code": "unknown", "config": stored_config(config), "corpora": {},
        "position": {"step": 3, "elapsed": 60.0}, "metrics": {},
        "inputs": {"train": {VOCABULARY: hash_of(vocab)[:16]}},
    }  # fmt: skip
    weights = TinyGuardrail(config.network, config.losses).state_dict()
    weights["deep.head.classify.weight"] *= scale
    snapshot = Snapshot(weights, None, None, facts, vocab.read_bytes())
    return RunFolder(folder).save_best(snapshot)


def test_the_manifest_holds_the_whole_run_and_no_place_of_this_machine(
    best: Path, config: TrainConfig, tmp_path: Path
) -> None:
    record = export(best, tmp_path / "made", model_version="1").training
    assert record["version"] == "1.2.3"
    run = record["config"]
    stated = config.to_dict()
    for section in ("optimizer", "schedule", "network", "losses"):
        assert run[section] == stated[section]
    assert (run["seed"], run["init"]) == (config.seed, "best")
    assert run["distillation"]["teacher"] == "by"
    assert run["data"]["train"] == ["train.jsonl.gz"]
    assert run["data"]["max_tokens"] == 24
    assert str(tmp_path.parent) not in json.dumps(record)


def test_each_file_that_is_written_is_told(best: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int, bool]] = []
    made = tmp_path / "made"

    def progress(done: int, total: int) -> None:
        told.append((done, total, len(list(made.glob("*.onnx"))) == done))

    export(best, made, model_version="1", progress=progress)
    assert told == [(1, 3, True), (2, 3, True), (3, 3, True)]


def test_the_folder_one_stands_in_has_a_name_too(
    best: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made").mkdir()
    monkeypatch.chdir(tmp_path / "made")
    assert export(best, Path("."), model_version="1").name == "made"


def test_a_folder_without_a_name_is_refused_before_anything_is_written(best: Path) -> None:
    with pytest.raises(InputError, match="choose another --output"):
        export(best, Path(Path.cwd().anchor), model_version="1")


def test_a_checkpoint_is_exported_wherever_it_and_its_vocabulary_have_gone(
    best: Path, config: TrainConfig, tmp_path: Path
) -> None:
    assert str(config.data.vocab) not in (best / FACTS).read_text(encoding="utf-8")
    moved = best.rename(tmp_path / "elsewhere")
    made = tmp_path / "made"
    export(moved, made, model_version="1")
    assert (made / "vocab.txt").read_bytes() == config.data.vocab.read_bytes()


@pytest.fixture
def older(best: Path, config: TrainConfig, tmp_path: Path) -> Path:
    """`best` as it was kept before it held its vocabulary, which has been moved since."""
    (best / "vocab.txt").unlink()
    facts = json.loads((best / FACTS).read_text(encoding="utf-8"))
    facts["config"] = config.to_dict()
    facts["config"]["data"]["vocab"] = str(tmp_path / "guard-v0" / "vocab.txt")
    (best / FACTS).write_text(json.dumps(facts), encoding="utf-8")
    return best


def test_an_older_checkpoint_whose_vocabulary_is_gone_names_the_remedy(
    older: Path, config: TrainConfig, tmp_path: Path
) -> None:
    made, remedy = tmp_path / "made", older / "vocab.txt"
    with pytest.raises(CheckpointError, match="no such file any more") as error:
        export(older, made, model_version="1")
    assert str(tmp_path / "guard-v0" / "vocab.txt") in str(error.value)
    assert f"to {remedy} " in str(error.value)
    assert not made.exists()
    remedy.write_text("[PAD]\n", encoding="utf-8")
    with pytest.raises(CheckpointError, match="this is another vocabulary"):
        export(older, made, model_version="1")
    assert not made.exists()
    shutil.copyfile(config.data.vocab, remedy)
    export(older, made, model_version="1")
    assert (made / "vocab.txt").read_bytes() == config.data.vocab.read_bytes()


def test_a_layer_that_makes_no_blocks_stays_in_int8_and_is_named(
    make_config: Callable[..., TrainConfig], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_config(network={"hidden": BLOCK, "expert_ffn": BLOCK + 16})
    run, made = _kept(config, tmp_path / "run"), tmp_path / "made"
    words = ["export", "--run", str(run), "--output", str(made), "--model-version", "1"]
    assert main([*words, "--four-bit"]) == 0
    told = capsys.readouterr()
    (first, second) = json.loads(told.out)["left_in_int8"]
    for layer, what in enumerate((first, second)):
        assert what.startswith(f"deep.layers.{layer}.feed_forward.experts.*.down (80 numbers a row")
        assert f"stored in INT8, not in 4 bits: {what}" in told.err
    recorded = load_manifest(made).training
    assert (recorded["left_in_int8"], recorded["weights"][:4]) == ([first, second], "int4")
    kinds = {name: _operators(onnx.load(made / f"{name}.onnx").graph) for name in ("embed", "deep")}
    assert "GatherBlockQuantized" in kinds["embed"]
    assert {"MatMulNBits", "MatMulIntegerToFloat"} <= kinds["deep"]


def _operators(graph: onnx.GraphProto) -> set[str]:
    kinds = {node.op_type for node in graph.node}
    for node in graph.node:
        for attribute in node.attribute:
            kinds |= _operators(attribute.g)
    return kinds


def test_where_nothing_makes_blocks_the_manifest_says_int8(best: Path, tmp_path: Path) -> None:
    manifest = export(best, tmp_path / "made", model_version="1", four_bit=True)
    assert manifest.training["weights"] == "int8"
    assert "embeddings.tokens (16 numbers a row, no multiple of 64)" in staying(manifest)
    plain = export(best, tmp_path / "plain", model_version="1")
    assert (staying(plain), plain.files) == ([], manifest.files)


def test_a_form_that_does_not_run_here_falls_back_and_says_why(
    make_config: Callable[..., TrainConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with an inference library that is too old for an operator."""
    run = _kept(make_config(network={"hidden": BLOCK, "expert_ffn": BLOCK}), tmp_path / "run")
    op = Graph.op

    def newer(self: Graph, kind: str, *inputs: str, **more: Any) -> str:
        kind = "MatMulOfTomorrow" if kind == "MatMulNBits" else kind
        return op(self, kind, *inputs, **more)

    monkeypatch.setattr(Graph, "op", newer)
    manifest = export(run, tmp_path / "made", model_version="1", four_bit=True)
    (why,) = staying(manifest)
    assert why.startswith("all of it (")
    assert "deep.onnx" in why
    assert "MatMulOfTomorrow" in why
    assert str(tmp_path) not in why
    assert manifest.training["weights"] == "int8"
    load_manifest(tmp_path / "made")
    assert manifest.files == export(run, tmp_path / "plain", model_version="1").files


def test_an_int8_operator_that_does_not_run_here_is_named(
    best: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    op = Graph.op

    def newer(self: Graph, kind: str, *inputs: str, **more: Any) -> str:
        kind = "AttentionOfTomorrow" if kind == "QAttention" else kind
        return op(self, kind, *inputs, **more)

    monkeypatch.setattr(Graph, "op", newer)
    with pytest.raises(CheckpointError, match=r"AttentionOfTomorrow.*upgrade onnxruntime"):
        export(best, tmp_path / "made", model_version="1")
    assert not (tmp_path / "made" / "manifest.json").exists()


def test_what_answers_with_no_numbers_is_refused(config: TrainConfig, tmp_path: Path) -> None:
    run, made = _kept(config, tmp_path / "run", scale=float("nan")), tmp_path / "made"
    with pytest.raises(CheckpointError, match=r": deep\.onnx: .* no number.*another step"):
        export(run, made, model_version="1")
    assert not (made / "manifest.json").exists()
