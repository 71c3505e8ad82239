"""Windows to probabilities: the only file that knows the inference library.

Three sessions, one window a run: no padding, no mask, and no answer that depends on a text's
company. `onnxruntime` is imported when an engine is built, not when this package is.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.deadline import check_deadline, seconds_left
from tinyguardrail_sdk.errors import CheckFailed, CheckpointError
from tinyguardrail_sdk.features import Window
from tinyguardrail_sdk.folding import Indices
from tinyguardrail_sdk.labels import SOURCES, Route
from tinyguardrail_sdk.manifest import Manifest

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Probabilities = tuple[float, float, float, float]

# Named, so that the inference library need not list the outputs at every run.
_EMBED_OUTPUTS = ["embedded", "route_logit"]
_BRANCH_OUTPUTS = ["logits"]
_NEVER = 30.0  # so much below the others a logit has no share


@dataclass(frozen=True, slots=True)
class WindowScores:
    """The answer for one window: calibrated probabilities in `LABELS` order, and the route."""

    probabilities: Probabilities
    route: Route


class Engine:
    """Runs the three graphs of a checkpoint, at most two windows a processor at once.

    More are no faster (a second one fills the gaps while Python is waited for), and the inference
    library keeps the memory of as many as ever overlapped.

    Args:
        directory: A checkpoint whose files have been verified.
        manifest: Its manifest.
        threads: Processor threads of one run.

    Raises:
        CheckpointError: A graph cannot be loaded.
    """

    def __init__(self, directory: Path, manifest: Manifest, threads: int = 1) -> None:
        self._embed = _session(directory / "embed.onnx", threads)
        self._fast = _session(directory / "fast.onnx", threads)
        self._deep = _session(directory / "deep.onnx", threads)
        self._manifest = manifest
        self._turns = threading.Semaphore(2 * processors())
        windows = next(i for i in self._embed.get_inputs() if i.name == "char_windows")
        self._kernel = int(windows.shape[1])

    def run(self, window: Window, force: Route | None = None) -> WindowScores:
        """Judge one window.

        Args:
            window: The tensors of one window.
            force: Take this branch whatever the router says (`FAST` never escalates); None routes.

        Raises:
            CheckFailed: The inference library failed, or the deadline passed while others ran.
        """
        while not self._turns.acquire(timeout=seconds_left()):
            check_deadline()
        try:
            check_deadline()
            with _failures():
                return self._run(window, force)
        finally:
            self._turns.release()

    def logits(self, window: Window) -> tuple[NDArray[Any], NDArray[Any], float]:
        """What all parts say of one window, before any calibration.

        Of a decoded view read as plain text, all kinds of attack count as one that was hidden.

        Returns:
            (labels,) of the fast branch, (labels,) of the deep branch, and the router's logit that
            the fast branch is enough.

        Raises:
            CheckFailed: The inference library failed.
        """
        with _failures():
            inputs, route_logit = self._embedded(window)
            fast, deep = (
                np.array(_answer(part, inputs, window), np.float32)
                for part in (self._fast, self._deep)
            )
            return fast, deep, route_logit

    def _run(self, window: Window, force: Route | None) -> WindowScores:
        inputs, route_logit = self._embedded(window)
        manifest = self._manifest
        if force is None:
            fast = _sigmoid(route_logit) >= manifest.route_threshold
        else:
            fast = force is not Route.DEEP
        if fast:
            answer = _softmax(_answer(self._fast, inputs, window), manifest.temperature.fast)
            if force is not None or max(answer) >= manifest.escalate_below:
                return WindowScores(answer, Route.FAST)
        answer = _softmax(_answer(self._deep, inputs, window), manifest.temperature.deep)
        return WindowScores(answer, Route.ESCALATED if fast else Route.DEEP)

    def _embedded(self, window: Window) -> tuple[dict[str, NDArray[Any]], float]:
        """What both branches read, and the router's logit."""
        patterns = window.pattern_scores[None]
        embedded, route_logit = self._embed.run(_EMBED_OUTPUTS, self._inputs(window, patterns))
        return {"embedded": embedded, "pattern_scores": patterns}, float(route_logit[0, 0])

    def _inputs(self, window: Window, patterns: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        windows, places = character_windows(window.char_ids, self._kernel)
        return {
            "token_ids": window.token_ids[None],
            "char_windows": windows,
            "char_places": places,
            "segment": np.array([window.segment], np.int32),
            "pattern_scores": patterns,
        }


def processors() -> int:
    """Processors that this process may use; in a container, those that it was pinned to."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise CheckFailed(
            f"inference failed ({type(error).__name__}); the text was not checked"
        ) from error


def character_windows(char_ids: Indices, kernel: int) -> tuple[Indices, Indices]:
    """Lay out the characters of a window for the convolution, without the padding.

    Args:
        char_ids: (T, C) character ids, 0 where a token has ended.
        kernel: Widest convolution kernel, K.

    Returns:
        (N + 1, K) the ids from each of the N characters on, and one row of padding; and (T, C) the
        row of each place.
    """
    tokens, width = char_ids.shape
    padded = np.zeros((tokens, width + kernel - 1), np.int32)
    padded[:, :width] = char_ids
    # numpy has functions for this padding and this view; they take several times as long.
    strides = (*padded.strides, padded.itemsize)
    every = np.ndarray((tokens, width, kernel), np.int32, padded, strides=strides)
    used = char_ids > 0
    chosen = every[used]
    count = len(chosen)
    windows = np.zeros((count + 1, kernel), np.int32)
    windows[:count] = chosen
    places = np.full(char_ids.shape, count, np.int32)
    places[used] = np.arange(count, dtype=np.int32)
    return windows, places


def _session(path: Path, threads: int) -> InferenceSession:
    # Its import starts a thread that collects telemetry, which also breaks forked children. A
    # guard promises no network; the host's own setting, where there is one, stays.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Nearly every text has a shape of its own: planned per shape, memory is fragmented and grows.
    options.enable_mem_pattern = False
    # A library must not burn the host's processor while it waits for work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise CheckpointError(
            f"{path}: the inference library cannot load it ({type(error).__name__}); "
            "reinstall tinyguardrail-sdk, or upgrade onnxruntime"
        ) from error


def _answer(
    branch: InferenceSession, inputs: dict[str, NDArray[Any]], window: Window
) -> list[float]:
    (logits,) = branch.run(_BRANCH_OUTPUTS, inputs)
    said: list[float] = logits[0].tolist()
    plain_view = window.match is not None and window.segment < len(SOURCES)
    return _hidden(said) if plain_view else said


def _hidden(logits: Sequence[float]) -> list[float]:
    """Of a decoded view read as plain text: an attack there, of any kind, was hidden."""
    benign, *attacks = logits
    highest = max(attacks)
    hidden = highest + math.log(sum(math.exp(attack - highest) for attack in attacks))
    never = min(benign, hidden) - _NEVER
    return [benign, never, never, hidden]


# On four numbers, plain Python is faster than numpy.
def _softmax(logits: Sequence[float], temperature: float) -> Probabilities:
    highest = max(logits)
    powers = [math.exp((logit - highest) / temperature) for logit in logits]
    total = sum(powers)
    benign, injection, jailbreak, obfuscation = (power / total for power in powers)
    return benign, injection, jailbreak, obfuscation


def _sigmoid(logit: float) -> float:
    # In this order, a NaN stays one and does not pass for a sure fast branch.
    return 1.0 / (1.0 + math.exp(-max(min(logit, 60.0), -60.0)))
