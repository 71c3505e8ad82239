"""The stream of mutants: what it feeds, and that a stopped run goes on with the same ones."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training import loop, session, train
from tinyguardrail_sdk.training.checkpoint import load_weights
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.data import stored
from tinyguardrail_sdk.training.data.batches import collate
from tinyguardrail_sdk.training.data.corpus import Corpus, pack
from tinyguardrail_sdk.training.data.schema import Example, write_examples
from tinyguardrail_sdk.training.data.stored import StoredRows
from tinyguardrail_sdk.training.hardening import MutationConfig
from tinyguardrail_sdk.training.mutation_stream import MutationStream, hardest
from tinyguardrail_sdk.training.network.model import TinyGuardrail

pytestmark = pytest.mark.train

MakeConfig = Callable[..., TrainConfig]
LIMITS = {"tokens": 256, "max_rows": 16}
ON = {"share": 0.5, "refresh": 3, "texts": 12, "variants": 3}


@pytest.fixture
def config(make_config: MakeConfig) -> TrainConfig:
    return make_config(mutation=ON)


@pytest.fixture
def core(config: TrainConfig) -> TinyGuardrail:
    torch.manual_seed(0)
    return TinyGuardrail(config.network, config.losses)


def _stream(config: TrainConfig) -> MutationStream:
    return MutationStream(config, 160, Accelerator(cpu=True), LIMITS)


def test_of_each_text_the_worst_variant_and_of_those_the_hardest() -> None:
    losses = np.array([1.0, 3.0, 2.0, 0.5, 0.1, 4.0, 0.2])
    parents = np.array([0, 0, 0, 1, 1, 7, 7])
    assert hardest(losses, parents, 1.0).tolist() == [1, 3, 5]
    assert hardest(losses, parents, 0.67).tolist() == [1, 5]
    assert hardest(losses, parents, 0.01).tolist() == [5]


def test_the_stream_feeds_the_variants_of_highest_loss(
    config: TrainConfig, core: TinyGuardrail
) -> None:
    stream = _stream(config)
    record = stream.refresh(core, 0, 0.0)
    assert record is not None
    assert record["kept_loss"] > record["loss"]
    assert core.training

    parents, mutants = stream._mutants(0)
    assert 24 <= len(mutants) <= 36
    extractor = stream._recipe.extractor()
    corpus = Corpus.of(pack(extractor, mutants, stream._recipe.rules, config.seed))
    core.eval()
    losses = np.zeros(len(mutants))
    for row in range(len(corpus.rows)):
        batch = collate(corpus, np.array([row]))
        with torch.no_grad():
            info = core(**batch.inputs("cpu")).route_info
        both = torch.stack([info.fast_logits, info.deep_logits]).log_softmax(-1)
        loss = -float(both[:, 0, batch.labels[0]].mean())
        text = int(batch.examples[0])
        losses[text] = max(losses[text], loss)
    wanted = {max(np.flatnonzero(parents == p), key=lambda i: losses[i]) for p in set(parents)}
    wanted = set(sorted(wanted, key=lambda i: -losses[i])[:6])

    seen: set[int] = set()
    while stream._stream.epoch == 0:
        seen |= set(next(stream).examples.tolist())
    assert seen == wanted


def test_mutants_change_with_the_round_and_not_before(
    config: TrainConfig, core: TinyGuardrail
) -> None:
    stream = _stream(config)
    assert stream.refresh(core, 0, 0.0)
    assert stream.refresh(core, 2, 0.1) is None
    first = next(stream).input_ids
    record = stream.refresh(core, 3, 0.2)
    assert record is not None
    assert record["step"] == 4
    assert first.tolist() != next(stream).input_ids.tolist()


def test_a_stream_goes_on_from_its_state(config: TrainConfig, core: TinyGuardrail) -> None:
    one, two = _stream(config), _stream(config)
    one.refresh(core, 0, 0.0)
    next(one)
    two.load(one.state())
    assert two.refresh(core, 2, 0.0) is None
    for _ in range(5):
        a, b = next(one), next(two)
        assert torch.equal(a.input_ids, b.input_ids)
        assert torch.equal(a.pattern_scores, b.pattern_scores)
        assert torch.equal(a.char_ids, b.char_ids)
    empty = _stream(config)
    empty.load(_stream(config).state())
    assert empty.refresh(core, 0, 0.0)


def test_the_share_is_as_asked_from_when_it_was_asked(config: TrainConfig) -> None:
    late = replace(config, mutation=replace(config.mutation, share=0.25, from_share=0.5))
    stream = _stream(late)
    assert not any(stream.due(number, 0.4) for number in range(400))
    assert 70 <= sum(stream.due(number, 0.5) for number in range(400)) <= 130


def _weights(config: TrainConfig) -> dict[str, torch.Tensor]:
    return dict(load_weights(config.output / "step-8", raw=True))


def test_a_run_with_mutants_resumes_to_the_same_weights(
    make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe: dict[str, Any] = {"mutation": ON, "optimizer": {"accumulation": 2}}
    whole = make_config(output=str(tmp_path / "whole"), **recipe)
    halved = make_config(output=str(tmp_path / "halved"), **recipe)
    train.main(whole)
    seen: list[int] = []

    def stop_at_five(accelerator: Any, elapsed: float, stop: bool) -> tuple[float, bool]:
        seen.append(1)
        return session.agree(accelerator, elapsed, stop or len(seen) > 5)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "agree", stop_at_five)
        assert train.main(halved).step == 5  # in the middle of a round
    train.main(halved, resume=True)
    one, two = _weights(whole), _weights(halved)
    assert all(torch.equal(one[name], two[name]) for name in one)

    def records(config: TrainConfig) -> list[tuple[str, int]]:
        lines = (config.output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return [(record["kind"], record["step"]) for record in map(json.loads, lines)]

    assert records(whole) == records(halved)
    assert [step for kind, step in records(whole) if kind == "mutation"] == [1, 4, 7]


def test_rows_are_found_by_number_through_files_that_are_read_once(tmp_path: Path) -> None:
    examples = [Example(f"text {number}", "benign") for number in range(7)]  # type: ignore[arg-type]
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"]
    write_examples(paths[0], examples[:4])
    write_examples(paths[1], examples[4:])
    rows = StoredRows(paths, tmp_path)
    for path in paths:
        path.unlink()
    assert not list(tmp_path.iterdir())
    assert rows.at([6, 1, 4, 1]) == [examples[number] for number in (6, 1, 4, 1)]
    with pytest.raises(ValueError, match="hold 7 rows, not 8"):
        rows.at([1, 7])


def test_files_without_a_row_say_so_when_one_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").touch()
    with pytest.raises(ValueError, match="hold 0 rows, not 1"):
        StoredRows([tmp_path / "a.jsonl"], tmp_path).at([0])


def test_stored_rows_are_not_in_memory(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        write_examples(path, (Example(f"text {n}", Label.BENIGN) for n in range(count)))
        tracemalloc.start()
        rows = StoredRows([path], tmp_path)
        assert rows.at([count - 1])[0].text == f"text {count - 1}"
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    path = tmp_path / "a.jsonl"
    peak(10)  # what is made once
    assert peak(20_000) < peak(1_000) + 20_000


def test_the_training_file_is_read_for_the_first_choice_only(
    config: TrainConfig, core: TinyGuardrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = _stream(config)
    assert stream.refresh(core, 0, 0.0) is not None
    monkeypatch.setattr(stored, "read_lines", None)
    assert stream.refresh(core, 3, 0.0) is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [("share", 1.0), ("from_share", -0.1), ("refresh", 0), ("texts", 0), ("variants", 0),
     ("keep", 0)],
)  # fmt: skip
def test_senseless_settings_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        replace(MutationConfig(), **{field: value})  # type: ignore[arg-type]
