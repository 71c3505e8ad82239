"""The networks that a student can learn from: a run of ours, an INT8 checkpoint, `transformers`.

Ours read the windows of the corpus as they are, so they must share its vocabulary, and answer with
their deep branch. A teacher from `transformers` reads the characters of each window with its own
tokenizer, cut where that ends. All are frozen and compute in FP32.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS
from tinyguardrail_sdk.manifest import (
    DEFAULT_CHECKPOINT,
    MANIFEST_NAME,
    hash_of,
    load_manifest,
)
from tinyguardrail_sdk.training import checkpoint
from tinyguardrail_sdk.training.config import TrainConfig, from_dict
from tinyguardrail_sdk.training.data.batches import collate, plan_batches
from tinyguardrail_sdk.training.data.corpora import train_recipe
from tinyguardrail_sdk.training.data.corpus import Corpus, window_texts
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.restore import restore
from tinyguardrail_sdk.training.run_files import FACTS

CHUNK = 1024
_TEXTS_AT_ONCE = 32
_MOST_TOKENS = 512

Answers = NDArray[np.float32]
Device = torch.device | str


class Teacher(Protocol):
    """Answers the windows of a corpus.

    Attributes:
        fingerprint: SHA-256 of its weights and of how it is read.
    """

    fingerprint: str

    def answers(self, corpus: Corpus, first: int) -> Iterator[Answers]:
        """Logits of all windows from the number `first` on, `CHUNK` at a time: (chunk, labels)."""


def open_teacher(config: TrainConfig, device: Device) -> Teacher:
    """Load the teacher that a run names.

    Raises:
        InputError: It does not fit the run, or nothing is to be had under its name.
        CheckpointError: Its files are damaged.
    """
    name = config.distillation.teacher
    folder = DEFAULT_CHECKPOINT if name == "shipped" else Path(name)
    if (folder / FACTS).is_file():
        model, trained = checkpoint.load_model(folder)
        _check_shape(config, trained)
        _check_vocabulary(config, checkpoint.trained_vocabulary(checkpoint.load_facts(folder)))
        return OwnTeacher(config, model, device)
    if (folder / MANIFEST_NAME).is_file():
        manifest = load_manifest(folder)
        network = manifest.training.get("config", {}).get("network", {})
        windows = {"max_tokens": manifest.max_tokens, "overlap": manifest.overlap}
        trained = from_dict({"network": network, "data": windows})
        _check_shape(config, trained)
        _check_vocabulary(config, manifest.files["vocab.txt"].sha256)
        model = TinyGuardrail(trained.network)
        restore(model, folder)
        return OwnTeacher(config, model, device)
    return ForeignTeacher(config, device)


class OwnTeacher:
    """A network of this package.

    Args:
        config: The student's run.
        model: The teacher.
        device: Where it computes.
    """

    def __init__(self, config: TrainConfig, model: TinyGuardrail, device: Device) -> None:
        self._model = model.eval().requires_grad_(False).to(device)
        self._device = device
        self._tokens, self._max_rows = config.data.tokens_per_batch, config.data.max_rows
        self.fingerprint = _fingerprint(model, "deep")

    @torch.no_grad()
    def answers(self, corpus: Corpus, first: int) -> Iterator[Answers]:
        """As `Teacher.answers`."""
        for start in range(first, len(corpus.rows), CHUNK):
            rows = np.arange(start, min(start + CHUNK, len(corpus.rows)))
            logits = np.empty((len(rows), len(LABELS)), np.float32)
            for places in plan_batches(
                corpus.lengths[rows], tokens=self._tokens, max_rows=self._max_rows
            ):
                inputs = collate(corpus, rows[places]).inputs(self._device)
                logits[places] = self._model(**inputs, branches="deep").logits.cpu().numpy()
            yield logits


class ForeignTeacher:
    """A text classifier of `transformers`, whose labels are ours in any order.

    Args:
        config: The student's run.
        device: Where it computes.

    Raises:
        InputError: There is no such classifier, or its labels are not ours.
    """

    def __init__(self, config: TrainConfig, device: Device) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        name = config.distillation.teacher
        try:
            model = AutoModelForSequenceClassification.from_pretrained(name)
            self._tokenizer = AutoTokenizer.from_pretrained(name)
        except (OSError, ValueError, ImportError) as error:
            raise InputError(
                f"distillation.teacher={name}: no training checkpoint, no INT8 checkpoint, and no "
                f"text classifier that transformers can load ({type(error).__name__}); "
                "give the folder or hub name of one of them"
            ) from None
        self._columns = label_columns(name, model.config.id2label)
        self._recipe = train_recipe(config)
        self._device = device
        self._model = model.eval().requires_grad_(False).to(device, torch.float32)
        room = getattr(model.config, "max_position_embeddings", _MOST_TOKENS)
        self._most = min(room, self._tokenizer.model_max_length, _MOST_TOKENS)
        settings = f"{type(self._tokenizer).__name__} {self._most} {self._columns}"
        pieces = sorted(self._tokenizer.get_vocab().items())
        self.fingerprint = _fingerprint(model, f"{settings} {pieces}")

    def answers(self, corpus: Corpus, first: int) -> Iterator[Answers]:
        """As `Teacher.answers`."""
        texts = islice(window_texts(self._recipe), first, None)
        while chunk := list(islice(texts, CHUNK)):
            logits = np.empty((len(chunk), len(LABELS)), np.float32)
            by_length = sorted(range(len(chunk)), key=lambda place: len(chunk[place]))
            for start in range(0, len(chunk), _TEXTS_AT_ONCE):
                places = by_length[start : start + _TEXTS_AT_ONCE]
                logits[places] = self._judge([chunk[place] for place in places])
            yield logits

    @torch.no_grad()
    def _judge(self, texts: list[str]) -> Answers:
        # A lone surrogate, which JSON can hold, is none of a tokenizer's characters.
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        inputs = self._tokenizer(
            clean, padding=True, truncation=True, max_length=self._most, return_tensors="pt"
        ).to(self._device)
        logits: Answers = self._model(**inputs).logits[:, self._columns].cpu().numpy()
        return logits


def label_columns(teacher: str, names: Mapping[int, str]) -> list[int]:
    """Which of a classifier's columns is each of our labels, by its name in any case.

    Raises:
        InputError: Its names are not exactly ours.
    """
    columns = {str(name).casefold(): int(column) for column, name in names.items()}
    if len(names) != len(LABELS) or set(columns) != set(map(str, LABELS)):
        raise InputError(
            f"distillation.teacher={teacher}: tells {', '.join(map(str, names.values()))} apart, "
            f"not {', '.join(LABELS)}; a teacher has these four, named in id2label of its "
            "config.json"
        )
    return [columns[str(label)] for label in LABELS]


def _check_shape(config: TrainConfig, teacher: TrainConfig) -> None:
    ours, theirs = config.network, teacher.network
    for field in ("vocab_size", "char_vocab", "patterns", "segments", "labels"):
        if getattr(ours, field) != getattr(theirs, field):
            raise InputError(
                f"distillation.teacher={config.distillation.teacher}: has network.{field}="
                f"{getattr(theirs, field)}, the run {getattr(ours, field)}; both must read the "
                "same windows"
            )
    if config.data.max_tokens > theirs.max_positions:
        raise InputError(
            f"distillation.teacher={config.distillation.teacher}: reads {theirs.max_positions} "
            f"tokens, not data.max_tokens={config.data.max_tokens}; lower it"
        )


def _check_vocabulary(config: TrainConfig, digest: str | None) -> None:
    """Compare as far as the digest was stored; a checkpoint of old has none."""
    ours = hash_of(config.data.vocab)
    if digest is not None and not ours.startswith(digest[:16]):
        raise InputError(
            f"distillation.teacher={config.distillation.teacher}: was trained with another "
            "vocabulary; give its own with data.vocab"
        )


def _fingerprint(model: nn.Module, settings: str) -> str:
    digest = hashlib.sha256(settings.encode())
    state: dict[str, Any] = model.state_dict()
    for name, tensor in state.items():
        digest.update(name.encode())
        flat = tensor.detach().cpu().contiguous().view(-1)
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
