"""What the model says: the seam that `Guard` stands on, and the classifier that ships.

Anything with the two methods and the property of `Classifier` can take the place of the embedded
network; `tinyguardrail_sdk.testing` has one for tests.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakValueDictionary

from tinyguardrail_sdk.bare_override import is_bare_override
from tinyguardrail_sdk.deadline import check_deadline, uncounted
from tinyguardrail_sdk.errors import CheckFailed, CheckpointError
from tinyguardrail_sdk.forking import renew_after_fork
from tinyguardrail_sdk.labels import LABELS, Mode, Route, Source
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, Manifest, read_manifest, verify_files

if TYPE_CHECKING:
    from tinyguardrail_sdk.detectors.match import Match
    from tinyguardrail_sdk.engine import Engine
    from tinyguardrail_sdk.features import FeatureExtractor

# Calibrated probabilities come from float32 arithmetic; anything further off is a broken engine.
_SUM_TOLERANCE = 1e-3
_NOTHING = (1.0, 0.0, 0.0, 0.0)
# What a text is given that is an instruction override and nothing else.
_OVERRIDE = (0.005, 0.995, 0.0, 0.0)


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

    The manifest is read at once; the files it lists are verified and opened by the first check.
    Classifiers of one process that need the same checkpoint, with as many threads, share what was
    opened, and the last of them to go frees it. A forked child opens its own; a copy by pickle is
    not opened yet.

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
        self._opened: _Opened | None = None
        renew_after_fork(self)

    def __getstate__(self) -> dict[str, Any]:
        # The one in the package has another path on another machine.
        own = self.directory == DEFAULT_CHECKPOINT
        checkpoint = None if own else self.directory
        return {"checkpoint": checkpoint, "threads": self.threads, "progress": self._progress}

    def __setstate__(self, state: dict[str, Any]) -> None:
        EmbeddedClassifier.__init__(self, **state)

    @property
    def info(self) -> ClassifierInfo:
        """Version and thresholds, from the manifest."""
        return ClassifierInfo(self.manifest.model_version, self.manifest.thresholds)

    def classify(self, text: str, source: Source) -> Classification:
        """Judge one text by its riskiest window; see `bare_override` for the one exception.

        A text without a token to read and without a match, empty or blank, is benign by definition:
        the network learned from texts, and knows nothing about none.

        Raises:
            CheckpointError: The checkpoint is damaged (first check only).
            CheckFailed: The engine failed, or the deadline passed before the last window.
        """
        # A deadline fit for checks would make the first one of every process fail.
        opened = self._opened or uncounted(self._open)
        extractor, engine = opened.extractor, opened.engine
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
        probabilities = scores.probabilities
        if probabilities[0] > _OVERRIDE[0] and is_bare_override(text, features.matches):
            probabilities = _OVERRIDE
        return Classification(
            scores=probabilities,
            route=scores.route,
            matches=tuple(features.shown),
            span=(window.start, window.end),
            scanned=features.scanned,
        )

    def classify_batch(self, texts: Sequence[str], source: Source) -> list[Classification]:
        """Judge several texts, one after the other."""
        return [self.classify(text, source) for text in texts]

    def _open(self) -> _Opened:
        # The manifest is part of the key: a folder that was replaced meanwhile is another one.
        key = (self.directory.resolve(), self.manifest.model_dump_json(), self.threads)
        with _shared.lock:
            opened = _shared.opened.get(key)
            if opened is None:
                opened = _Opened(*open_checkpoint(self.directory, self.manifest, self.threads))
                _shared.opened[key] = opened
            self._opened = opened
            return opened

    def renew(self) -> None:
        """Be unopened again, in a forked child."""
        # Destroying a session waits for its threads, even at exit, and they do not exist here: so
        # it is never used again and never freed.
        import ctypes

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._opened))
        self._opened = None


@dataclass(frozen=True, eq=False)
class _Opened:
    """The two halves of a checkpoint; classifiers hold it, `_shared` only knows of it."""

    extractor: FeatureExtractor
    engine: Engine


class _Shared:
    """What is open in this process, by folder, manifest and threads; a forked child has nothing."""

    def __init__(self) -> None:
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Know of nothing; a thread of the parent may have held the lock."""
        self.lock = threading.Lock()  # held while a checkpoint is opened
        self.opened: WeakValueDictionary[tuple[Path, str, int], _Opened] = WeakValueDictionary()


_shared = _Shared()


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
