"""An exported checkpoint over many texts, in processes: as at run time, or branch by branch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from tinyguardrail_sdk.classifier import EmbeddedClassifier, open_checkpoint
from tinyguardrail_sdk.engine import Engine
from tinyguardrail_sdk.features import Window
from tinyguardrail_sdk.labels import LABELS, SOURCES, Route
from tinyguardrail_sdk.manifest import MANIFEST_NAME, hash_of, read_manifest
from tinyguardrail_sdk.training.data.kept import NOTHING, Kept, key_of
from tinyguardrail_sdk.training.data.parallel import in_order
from tinyguardrail_sdk.training.progress import Progress
from tinyguardrail_sdk.training.rows import Row
from tinyguardrail_sdk.training.scores import WindowScores

_CHUNK = 16

# Answers one row; made once in every process.
Judge = Callable[[Row], Any]


def judge_texts(
    checkpoint: Path,
    rows: Sequence[Row],
    *,
    force: Route | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    kept: Kept = NOTHING,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Judge every row.

    Args:
        checkpoint: Exported checkpoint.
        rows: What to judge.
        force: Branch that answers every window; None routes as at run time.
        workers: Processes, one thread each.
        progress: Called with rows done and rows in all.
        kept: Where answers are kept, and those of an interrupted run taken up.

    Returns:
        (rows, labels) calibrated probabilities, and (rows,) whether the fast branch answered.
    """
    make = partial(_routed, checkpoint) if force is None else partial(_forced, checkpoint, force)
    key = partial(_key, checkpoint, rows, force or "routed")
    answers = list(_answers(make, rows, workers, progress, kept, key))
    scores = np.array([scores for scores, _ in answers], np.float64).reshape(-1, len(LABELS))
    return scores, np.array([fast for _, fast in answers], bool)


def judge_windows(
    checkpoint: Path,
    rows: Sequence[Row],
    *,
    workers: int = 1,
    progress: Progress | None = None,
    kept: Kept = NOTHING,
) -> WindowScores:
    """Raw answers of both branches and the router for every window of rows of the four classes."""
    key, make = partial(_key, checkpoint, rows, "both"), partial(_both, checkpoint)
    answers = list(_answers(make, rows, workers, progress, kept, key))
    every = [window for windows in answers for window in windows]
    return WindowScores(
        fast=np.array([fast for fast, _, _ in every], np.float64),
        deep=np.array([deep for _, deep, _ in every], np.float64),
        route=np.array([route for _, _, route in every], np.float64),
        text=np.repeat(np.arange(len(rows)), [len(windows) for windows in answers]),
        labels=np.array([LABELS.index(row.label) for row in rows], np.int64),
        sources=np.array([SOURCES.index(row.source) for row in rows], np.int64),
    )


def _routed(checkpoint: Path) -> Judge:
    classifier = EmbeddedClassifier(checkpoint)

    def judge(row: Row) -> Any:
        found = classifier.classify(row.text, row.source)
        return [*found.scores], found.route is Route.FAST

    return judge


def _forced(checkpoint: Path, force: Route) -> Judge:
    windows, engine = _parts(checkpoint)

    def judge(row: Row) -> Any:
        answers = [engine.run(window, force).probabilities for window in windows(row)]
        return [*min(answers, key=lambda scores: scores[0])], force is Route.FAST

    return judge


def _both(checkpoint: Path) -> Judge:
    windows, engine = _parts(checkpoint)

    def judge(row: Row) -> Any:
        answers = (engine.logits(window) for window in windows(row))
        return [(fast.tolist(), deep.tolist(), float(route)) for fast, deep, route in answers]

    return judge


def _parts(checkpoint: Path) -> tuple[Callable[[Row], list[Window]], Engine]:
    extractor, engine = open_checkpoint(checkpoint, read_manifest(checkpoint))
    return lambda row: extractor.extract(row.text, row.source).windows, engine


def _of_chunks(make: Callable[[], Judge]) -> Callable[[Sequence[Row]], list[Any]]:
    judge = make()
    return lambda rows: [judge(row) for row in rows]


def _key(checkpoint: Path, rows: Sequence[Row], branch: str) -> str:
    """Of all that answers follow from: the manifest holds the hash of every file beside it."""
    texts = hashlib.sha256()
    for row in rows:
        texts.update(json.dumps([row.text, row.source]).encode())
    manifest = hash_of(checkpoint / MANIFEST_NAME)
    return key_of([texts.hexdigest(), branch, manifest, onnxruntime.__version__])


def _answers(
    make: Callable[[], Judge],
    rows: Sequence[Row],
    workers: int,
    progress: Progress | None,
    kept: Kept,
    key: Callable[[], str],
) -> Iterator[Any]:
    chunks = [rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK)]
    done = 0

    def rest(first: int) -> Generator[list[Any], None, None]:
        return in_order(partial(_of_chunks, make), chunks[first:], workers)

    with closing(kept.results(key, rest)) as parts:
        for part in parts:
            yield from part
            done += len(part)
            if progress is not None:
                progress(done, len(rows))
