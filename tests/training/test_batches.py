from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.features import FeatureExtractor, Features, Window
from tinyguardrail_sdk.labels import LABELS, Label, Source
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.data.batches import BatchStream, collate, plan_batches
from tinyguardrail_sdk.training.data.corpora import load_corpora, load_corpus
from tinyguardrail_sdk.training.data.corpus import (
    Corpus,
    CorpusRecipe,
    corpus_folder,
    prepare_corpus,
)
from tinyguardrail_sdk.training.data.schema import Example, read_examples
from tinyguardrail_sdk.training.data.windows import WindowRules, choose_windows

MakeConfig = Callable[..., TrainConfig]


@pytest.fixture
def corpus(make_config: MakeConfig) -> Corpus:
    return load_corpus(make_config(), "train")


def test_every_row_stands_in_one_batch_within_the_budget() -> None:
    lengths = np.random.default_rng(0).integers(2, 100, 5000)
    for order in ((1, 0), None):
        plan = plan_batches(lengths, tokens=512, max_rows=32, order=order)
        assert sorted(np.concatenate(plan).tolist()) == list(range(5000))
        for rows in plan:
            assert len(rows) <= 32
            assert len(rows) == 1 or len(rows) * lengths[rows].max() <= 512


def test_bucketing_wastes_little_padding() -> None:
    lengths = np.random.default_rng(0).integers(2, 256, 20_000)
    plan = plan_batches(lengths, tokens=4096, max_rows=128, order=(1, 0))
    padded = sum(len(rows) * lengths[rows].max() for rows in plan)
    assert lengths.sum() / padded > 0.95


def test_the_order_depends_on_seed_and_epoch_only() -> None:
    lengths = np.random.default_rng(0).integers(2, 100, 2000)

    def order(seed: int, epoch: int) -> list[int]:
        plan = plan_batches(lengths, tokens=512, max_rows=32, order=(seed, epoch))
        return np.concatenate(plan).tolist()  # type: ignore[no-any-return]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_a_stream_goes_on_at_the_batch_where_it_stopped(corpus: Corpus) -> None:
    def stream() -> BatchStream:
        return BatchStream(corpus, seed=5, tokens=256, max_rows=16)

    first = stream()
    count = first.batches_per_epoch + 3
    for _ in range(count):
        next(first)
    second = stream()
    second.seek(first.epoch, first.position)
    assert first.epoch == 1
    for _ in range(4):
        assert torch.equal(next(first).input_ids, next(second).input_ids)


def test_processes_share_an_epoch_without_overlap(corpus: Corpus) -> None:
    streams = [
        BatchStream(corpus, seed=5, tokens=256, max_rows=16, rank=rank, world=2) for rank in (0, 1)
    ]
    one, two = (
        [tuple(next(stream).examples.tolist()) for _ in range(stream.batches_per_epoch)]
        for stream in streams
    )
    assert len(one) == len(two)
    assert not set(one) & set(two)


def test_tensors_equal_the_runtimes(make_config: MakeConfig, toy: Path) -> None:
    config = make_config()
    corpus = load_corpus(config, "validation")
    extractor = FeatureExtractor(
        WordPieceTokenizer.from_file(toy / "vocab.txt"), max_tokens=24, overlap=4
    )
    row = 0
    for index, example in enumerate(read_examples(toy / "validation.jsonl")):
        for window in extractor.extract(example.text, example.source).windows:
            batch = collate(corpus, np.array([row]))
            tokens, chars = window.char_ids.shape
            assert batch.input_ids[0, :tokens].tolist() == window.token_ids.tolist()
            assert batch.char_ids[0, :tokens, :chars].tolist() == window.char_ids.tolist()
            assert batch.attention_mask.sum() == tokens
            assert not batch.char_ids[..., chars:].any()
            assert np.array_equal(batch.pattern_scores[0].numpy(), window.pattern_scores)
            assert batch.segment_ids.tolist() == [window.segment]
            assert batch.labels.tolist() == [LABELS.index(example.label)]
            assert corpus.rows["example"][row] == index
            row += 1
    assert row == len(corpus.rows)


def test_padding_ends_at_the_next_step_and_at_the_largest_window(corpus: Corpus) -> None:
    rows = np.arange(8)
    batch = collate(corpus, rows)
    most_tokens, most_chars = corpus.largest
    longest, widest = (int(corpus.rows[name][:8].max()) for name in ("length", "width"))
    assert batch.input_ids.shape[1] == min(-(-longest // 16) * 16, most_tokens)
    assert batch.char_ids.shape[2] == min(-(-widest // 4) * 4, most_chars)
    assert batch.tokens == corpus.rows["length"][:8].sum()
    assert not batch.input_ids[~batch.attention_mask].any()
    assert not batch.char_ids[~batch.attention_mask].any()


def test_workers_make_the_same_files(toy: Path, tmp_path: Path) -> None:
    recipe = CorpusRecipe(
        (toy / "train.jsonl.gz",), toy / "vocab.txt", 24, 4, WindowRules(), seed=3
    )
    one = prepare_corpus(recipe, tmp_path / "one", workers=1)
    two = prepare_corpus(recipe, tmp_path / "two", workers=2)
    folder = corpus_folder(Path(), recipe.fingerprint())
    for path in sorted((tmp_path / "one" / folder).iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / folder / path.name).read_bytes()
    assert one.fingerprint == two.fingerprint


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_tokenising_leaves_nothing(toy: Path, tmp_path: Path, workers: int) -> None:
    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    recipe = CorpusRecipe((toy / "train.jsonl.gz",), toy / "vocab.txt", 24, 4, WindowRules(), 3)
    with pytest.raises(KeyboardInterrupt):
        prepare_corpus(recipe, tmp_path, workers=workers, progress=interrupt)
    assert not list(tmp_path.iterdir())
    assert not multiprocessing.active_children()


@pytest.mark.skipif(sys.platform == "win32", reason="no claims there")
def test_a_corpus_is_made_by_one_command_at_a_time(toy: Path, tmp_path: Path) -> None:
    recipe = CorpusRecipe((toy / "train.jsonl.gz",), toy / "vocab.txt", 24, 4, WindowRules(), 3)

    def begin_too(done: int) -> None:
        with pytest.raises(InputError, match="wait until it ends, or give another data.cache"):
            prepare_corpus(recipe, tmp_path)
        prepare_corpus(replace(recipe, seed=4), tmp_path)  # another one may be made meanwhile

    made = prepare_corpus(recipe, tmp_path, progress=begin_too)
    assert len(made.examples) == sum(1 for file in recipe.files for _ in read_examples(file))
    assert len(list(tmp_path.iterdir())) == 2


def test_the_fingerprint_follows_data_and_settings(toy: Path, tmp_path: Path) -> None:
    recipe = CorpusRecipe((toy / "train.jsonl.gz",), toy / "vocab.txt", 24, 4, WindowRules(), 3)
    other = tmp_path / "train.jsonl"
    other.write_text('{"text": "hello", "label": "benign"}\n', encoding="utf-8")
    changed = [
        replace(recipe, files=(other,)),
        replace(recipe, max_tokens=32),
        replace(recipe, seed=4),
        replace(recipe, rules=WindowRules(benign=1)),
    ]
    assert len({r.fingerprint() for r in (recipe, *changed)}) == 5


def test_data_that_does_not_fit_is_refused(make_config: MakeConfig, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="no row in"):
        load_corpus(make_config(data={"train": [str(empty)]}), "train")
    with pytest.raises(ValueError, match="--validation"):
        load_corpus(make_config(data={"validation": []}), "validation")
    with pytest.raises(ValueError, match=r"network\.vocab_size=10 "):
        load_corpora(make_config(network={"vocab_size": 10}), {}, print)


def _features(*spans: tuple[int, int], views: int = 0) -> Features:
    patterns = np.zeros(6, np.float32)
    ids = np.zeros(3, np.int32)
    written = [Window(ids, ids[:, None], patterns, 0, *span, None) for span in spans]
    shown = [Window(ids, ids[:, None], patterns, 4, 0, 10, index) for index in range(views)]
    return Features(written + shown, [], (0, 0))


def _chosen(example: Example, features: Features) -> list[tuple[int, int, str]]:
    chosen = choose_windows(example, features, WindowRules(), "seed")
    return [(window.start, window.segment, str(label)) for window, label in chosen]


_SPANS = tuple((100 * i, 100 * i + 120) for i in range(8))


def test_only_windows_that_hold_the_attack_are_called_one() -> None:
    example = Example("x" * 820, Label.INJECTION, Source.DOCUMENT, span=(150, 230))
    chosen = _chosen(example, _features(*_SPANS))
    assert [start for start, _, label in chosen if label == "injection"] == [100]
    # The window from 200 holds the last 30 characters of the attack: evidence for nothing.
    assert 200 not in {start for start, _, _ in chosen}
    assert len(chosen) == 1 + WindowRules().benign


def test_an_attack_cut_in_pieces_keeps_its_largest_piece() -> None:
    example = Example("x" * 820, Label.INJECTION, span=(95, 105))
    inside = [c for c in _chosen(example, _features((0, 98), (98, 200))) if c[2] == "injection"]
    assert [start for start, _, _ in inside] == [98]


def test_an_attack_without_span_gives_its_beginning_and_one_more() -> None:
    chosen = _chosen(Example("x", Label.JAILBREAK), _features(*_SPANS))
    assert [start for start, _, _ in chosen[:2]] == [0, 100]
    assert len(chosen) == 3


def test_long_benign_texts_give_two_windows_by_seed() -> None:
    example, features = Example("x", Label.BENIGN), _features(*_SPANS)
    assert len(_chosen(example, features)) == 2
    assert _chosen(example, features) == _chosen(example, features)


@pytest.mark.parametrize(
    ("label", "views"), [("benign", 2), ("obfuscation", 2), ("injection", 0), ("jailbreak", 0)]
)
def test_views_are_learned_from_where_their_label_is_known(label: str, views: int) -> None:
    chosen = _chosen(Example("x", Label(label)), _features((0, 10), views=5))
    shown = [entry for entry in chosen if entry[1] == 4]
    assert len(shown) == views
    assert all(entry[2] == label for entry in shown)


def test_scoring_sees_every_window() -> None:
    features = _features(*_SPANS, views=5)
    chosen = choose_windows(Example("x", Label.INJECTION), features, WindowRules(whole=True), "")
    assert len(chosen) == 13
