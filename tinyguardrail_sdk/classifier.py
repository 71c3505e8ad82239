"""What the model says: the seam that `Guard` stands on, and the classifier that ships.

Anything with the two methods and the property of `Classifier` can take the place of the embedded
network; `tinyguardrail_sdk.testing` has one for tests.
"""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tinyguardrail_sdk.deadline import check_deadline, uncounted
from tinyguardrail_sdk.errors import CheckFailed, CheckpointError
from tinyguardrail_sdk.labels import LABELS, Mode, Route, Source
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, Manifest, read_manifest, verify_files

if TYPE_CHECKING:
    from tinyguardrail_sdk.detectors.match import Match
    from tinyguardrail_sdk.engine import Engine
    from tinyguardrail_sdk.features import FeatureExtractor

# Calibrated probabilities come from float32 arithmetic; anything further off is a broken engine.
_SUM_TOLERANCE = 1e-3
_NOTHING = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Classification:
    """What a classifier found in one text, before any policy.

    Attributes:
        scores: Calibrated probabilities in the order of `LABELS`; they sum to 1.
        route: The branch that produced them.
        matches: What the pattern detectors saw, to be shown.
        span: The riskiest window, as character indices into the text as it was given.
        scanned: Characters seen, and characters given.

    Raises:
        CheckFailed: The scores are no probabilities. (A NaN would compare as harmless.)
    """

    scores: tuple[float, float, float, float]
    route: Route
    matches: tuple[Match, ...]
    span: tuple[int, int]
    scanned: tuple[int, int]

    def __post_init__(self) -> None:
        possible = len(self.scores) == len(LABELS) and all(0.0 <= p <= 1.0 for p in self.scores)
        if not possible or not math.isclose(sum(self.scores), 1.0, abs_tol=_SUM_TOLERANCE):
            raise CheckFailed("the classifier's scores are not probabilities")


@dataclass(frozen=True, slots=True)
class ClassifierInfo:
    """What a guard must know about its classifier.

    Attributes:
        model_version: Reported in every verdict.
        thresholds: Risk from which a text is an attack, per source and mode.
    """

    model_version: str
    thresholds: Mapping[Source, Mapping[Mode, float]]


class Classifier(Protocol):
    """What `Guard(classifier=...)` needs. Methods may be called from several threads at once.

    One that works in parts calls `tinyguardrail_sdk.deadline.check_deadline` between them, so that
    `Policy.deadline_ms` can stop it.
    """

    @property
    def info(self) -> ClassifierInfo:
        """Version and thresholds."""
        ...

    def classify(self, text: str, source: Source) -> Classification:
        """Judge one text."""
        ...

    def classify_batch(self, texts: Sequence[str], source: Source) -> list[Classification]:
        """Judge several texts; the answers stand in the order of the texts."""
        ...


class EmbeddedClassifier:
    """The network of a checkpoint folder, run by the embedded engine.

    The manifest is read at once; the files it lists are verified and opened by the first check,
    once for this instance. A forked child opens its own.

    Args:
        checkpoint: Checkpoint folder; by default the one in the package.
        threads: Processor threads that one check may use.
        progress: Called after every window with the number of windows done and their total.

    Raises:
        CheckpointError: There is no usable manifest.
    """

    def __init__(
        self,
        checkpoint: str | os.PathLike[str] | None = None,
        *,
        threads: int = 1,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.directory = DEFAULT_CHECKPOINT if checkpoint is None else Path(checkpoint)
        self.threads = threads
        self.manifest = read_manifest(self.directory)
        self._progress = progress
        self._lock = threading.Lock()
        self._opened: tuple[FeatureExtractor, Engine] | None = None
        _instances.add(self)

    @property
    def info(self) -> ClassifierInfo:
        """Version and thresholds, from the manifest."""
        return ClassifierInfo(self.manifest.model_version, self.manifest.thresholds)

    def classify(self, text: str, source: Source) -> Classification:
        """Judge one text by its riskiest window.

        A text without a token to read and without a match, empty or blank, is benign by definition:
        the network learned from texts, and knows nothing about none.

        Raises:
            CheckpointError: The checkpoint is damaged (first check only).
            CheckFailed: The engine failed, or the deadline passed before the last window.
        """
        # A deadline fit for checks would make the first one of every process fail.
        extractor, engine = self._opened or uncounted(self._open)
        check_deadline()
        features = extractor.extract(text, source)
        if features.blank:
            return Classification(_NOTHING, Route.FAST, (), (0, len(text)), features.scanned)
        answers = []
        for window in features.windows:
            check_deadline()
            answers.append((engine.run(window), window))
            if self._progress is not None:
                self._progress(len(answers), len(features.windows))
        # The riskiest window speaks for the text: an attack is not diluted by what surrounds it.
        scores, window = min(answers, key=lambda answer: _benign(answer[0].probabilities))
        return Classification(
            scores=scores.probabilities,
            route=scores.route,
            matches=tuple(features.shown),
            span=(window.start, window.end),
            scanned=features.scanned,
        )

    def classify_batch(self, texts: Sequence[str], source: Source) -> list[Classification]:
        """Judge several texts, one after the other."""
        return [self.classify(text, source) for text in texts]

    def _open(self) -> tuple[FeatureExtractor, Engine]:
        with self._lock:
            if self._opened is None:
                self._opened = open_checkpoint(self.directory, self.manifest, self.threads)
            return self._opened

    def _after_fork(self) -> None:
        # The parent's threads do not exist here. One of them may hold the lock, and destroying a
        # session waits for its own, even at exit: so it is never used again and never freed.
        import ctypes

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._opened))
        self._opened = None
        self._lock = threading.Lock()


def _benign(probabilities: Sequence[float]) -> float:
    # A NaN could hide behind another window, for it is neither less nor more: let it be refused.
    return probabilities[0] if probabilities[0] >= 0.0 else -1.0


def open_checkpoint(
    directory: Path, manifest: Manifest, threads: int = 1
) -> tuple[FeatureExtractor, Engine]:
    """Verify a checkpoint and open its two halves: text to windows, windows to probabilities.

    Raises:
        CheckpointError: It is missing, damaged, or made for other preprocessing.
    """
    # Imported here: the inference library costs more than all the rest of the package together.
    from tinyguardrail_sdk.engine import Engine
    from tinyguardrail_sdk.features import FeatureExtractor
    from tinyguardrail_sdk.tokenizer import WordPieceTokenizer

    # Against the manifest that gave the thresholds: a folder replaced meanwhile is refused.
    verify_files(directory, manifest)
    _same_preprocessing(directory, manifest)
    tokenizer = WordPieceTokenizer.from_file(directory / "vocab.txt")
    extractor = FeatureExtractor(
        tokenizer, max_tokens=manifest.max_tokens, overlap=manifest.overlap
    )
    return extractor, Engine(directory, manifest, threads)


def _same_preprocessing(directory: Path, manifest: Manifest) -> None:
    from tinyguardrail_sdk.detectors import DETECTORS_VERSION
    from tinyguardrail_sdk.normalize import NORMALIZER_VERSION

    trained = (manifest.normalizer_version, manifest.detectors_version)
    present = (NORMALIZER_VERSION, DETECTORS_VERSION)
    if trained != present:
        raise CheckpointError(
            f"{directory}: trained with normaliser and detectors of versions {trained}, this "
            f"package has {present}; use the package version of the checkpoint, or train again"
        )


_instances: weakref.WeakSet[EmbeddedClassifier] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for instance in list(_instances):
        instance._after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
