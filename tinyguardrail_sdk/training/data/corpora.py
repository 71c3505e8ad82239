"""The two corpora of a run: what is learned from, and what chooses the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tinyguardrail_sdk.errors import InputError
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
    config: TrainConfig, resumed: Mapping[str, str], say: Callable[[str], None]
) -> tuple[Corpus, Corpus]:
    """Open the corpora for training and validation, tokenising what is not in the cache.

    Args:
        config: The run.
        resumed: Fingerprints of the corpora that a resumed run began with; empty for a new run.
        say: Told the size of each corpus.

    Raises:
        InputError: No files are given, they hold no example, or the vocabulary does not fit.
    """
    _refuse_small_vocabulary(config)
    corpora = [load_corpus(config, part, resumed.get(part)) for part in ("train", "validation")]
    for part, corpus in zip(("train", "validation"), corpora, strict=True):
        say(
            f"{part}: {len(corpus.examples)} texts, {len(corpus.rows)} windows, "
            f"{int(corpus.lengths.sum())} tokens"
        )
    return corpora[0], corpora[1]


def load_corpus(config: TrainConfig, part: str, fingerprint: str | None = None) -> Corpus:
    """Open the corpus of one part, `train` or `validation`.

    A resumed run gives the fingerprint of the windows it began with, and stays with them
    whatever the code does today.
    """
    if fingerprint is not None:
        started_with = corpus_folder(config.cache, fingerprint)
        if started_with.is_dir():
            return open_corpus(started_with)
    recipe = _recipe(config, part)
    if not recipe.files:
        raise InputError(f"data.{part} is empty: give JSON-lines files with --{part}")
    return prepare_corpus(recipe, config.cache, workers=config.data.workers)


def train_recipe(config: TrainConfig) -> CorpusRecipe:
    """What the corpus for training is made from."""
    return _recipe(config, "train")


def _recipe(config: TrainConfig, part: str) -> CorpusRecipe:
    data = config.data
    files = data.train if part == "train" else data.validation
    return CorpusRecipe(files, data.vocab, data.max_tokens, data.overlap, _RULES[part], config.seed)


def _refuse_small_vocabulary(config: TrainConfig) -> None:
    pieces = len(config.data.vocab.read_text(encoding="utf-8").splitlines())
    if pieces > config.network.vocab_size:
        raise InputError(
            f"network.vocab_size={config.network.vocab_size} is too small for "
            f"{config.data.vocab}: set it to {pieces}"
        )
