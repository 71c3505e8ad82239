"""The two corpora of a run: what is learned from, and what chooses the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tinyguardrail_sdk.errors import CheckpointError, InputError
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.data.corpus import (
    Corpus,
    CorpusRecipe,
    corpus_folder,
    open_corpus,
    prepare_corpus,
)
from tinyguardrail_sdk.training.data.windows import WindowRules

_RULES = {"train": WindowRules(), "validation": WindowRules(whole=True)}


def load_corpora(
    config: TrainConfig, resumed: Mapping[str, Any], say: Callable[[str], None]
) -> tuple[Corpus, Corpus]:
    """Open the corpora for training and validation, tokenising what is not in the cache.

    Args:
        config: The run.
        resumed: What `corpora_facts` gave when a resumed run began; empty for a new run.
        say: Told the size of each corpus.

    Raises:
        InputError: No files are given, they hold no example, or the vocabulary does not fit.
        CheckpointError: The windows that a resumed run began with are gone and cannot be made
            again.
    """
    _refuse_small_vocabulary(config)
    corpora = [_resumed(config, part, resumed) for part in ("train", "validation")]
    for part, corpus in zip(("train", "validation"), corpora, strict=True):
        say(
            f"{part}: {len(corpus.examples)} texts, {len(corpus.rows)} windows, "
            f"{int(corpus.lengths.sum())} tokens"
        )
    return corpora[0], corpora[1]


def corpora_facts(learned: Corpus, held_out: Corpus) -> dict[str, Any]:
    """What a checkpoint keeps of its corpora, so that a resumed run goes on with the same."""
    parts = {"train": learned, "validation": held_out}
    return {
        "corpora": {name: corpus.fingerprint for name, corpus in parts.items()},
        "inputs": {name: dict(corpus.inputs) for name, corpus in parts.items()},
        "teacher": learned.teacher,
    }


def train_recipe(config: TrainConfig) -> CorpusRecipe:
    """What the corpus for training is made from."""
    return _recipe(config, "train")


def load_corpus(config: TrainConfig, part: str) -> Corpus:
    """Open the corpus of one part, `train` or `validation`."""
    return prepare_corpus(_recipe(config, part), config.cache, workers=config.data.workers)


def _recipe(config: TrainConfig, part: str) -> CorpusRecipe:
    data = config.data
    files = data.train if part == "train" else data.validation
    if not files:
        raise InputError(f"data.{part} is empty: give JSON-lines files with --{part}")
    return CorpusRecipe(files, data.vocab, data.max_tokens, data.overlap, _RULES[part], config.seed)


def _resumed(config: TrainConfig, part: str, facts: Mapping[str, Any]) -> Corpus:
    """The windows that a run began with, whatever the code does today."""
    fingerprint = facts.get("corpora", {}).get(part)
    if fingerprint is None:
        return load_corpus(config, part)
    started_with = corpus_folder(config.cache, fingerprint)
    if started_with.is_dir():
        return open_corpus(started_with)
    recipe = _recipe(config, part)
    if recipe.fingerprint() != fingerprint:
        changed = _changed(recipe, facts.get("inputs", {}).get(part, {}))
        raise CheckpointError(
            f"{started_with}: the {part} windows that this run began with are gone, and cannot be "
            f"made again: {changed}; put the folder or what has changed back, or start a new run "
            "with --init"
        )
    return load_corpus(config, part)


def _changed(recipe: CorpusRecipe, before: Mapping[str, str]) -> str:
    now = recipe.inputs()
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if not before or not names:
        return "its data, vocabulary, settings or the package's code are others"
    return f"changed since then: {', '.join(names)}"


def _refuse_small_vocabulary(config: TrainConfig) -> None:
    pieces = len(config.data.vocab.read_text(encoding="utf-8").splitlines())
    if pieces > config.network.vocab_size:
        raise InputError(
            f"network.vocab_size={config.network.vocab_size} is too small for "
            f"{config.data.vocab}: set it to {pieces}"
        )
