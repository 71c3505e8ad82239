"""The one noun: `Guard` checks texts."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from tinyguardrail_sdk.classifier import Classification, Classifier, EmbeddedClassifier
from tinyguardrail_sdk.errors import (
    CheckFailed,
    GuardrailError,
    InputError,
    InputTooLong,
    PolicyError,
)
from tinyguardrail_sdk.frozen import FrozenDict
from tinyguardrail_sdk.labels import LABELS, Action, Label, Route, Source
from tinyguardrail_sdk.messages import MessageVerdict, message_texts
from tinyguardrail_sdk.policy import Policy
from tinyguardrail_sdk.verdict import Finding, Verdict

_log = logging.getLogger("tinyguardrail_sdk")
_log.addHandler(logging.NullHandler())

_T = TypeVar("_T")


class Guard:
    """Judges texts on their way to and from a language model.

    Cheap to make and safe to share between threads: the network is opened once, by the first
    check. Make one for the life of the application.

    Args:
        checkpoint: Folder of a retrained checkpoint; by default the one in the package.
        policy: How to decide; by default balanced, and every attack is blocked.
        threads: Processor threads that one check may use.
        classifier: Takes the place of the checkpoint's network, for tests and experiments.

    Raises:
        CheckpointError: The checkpoint has no usable manifest.
        PolicyError: The classifier has no threshold for the policy's mode.
        InputError: An argument of the wrong kind.

    Example:
        >>> guard = Guard()
        >>> verdict = guard.check("What is the capital of France?")
        >>> verdict.blocked
        False
    """

    def __init__(
        self,
        checkpoint: str | os.PathLike[str] | None = None,
        *,
        policy: Policy | None = None,
        threads: int = 1,
        classifier: Classifier | None = None,
    ) -> None:
        if checkpoint is not None and classifier is not None:
            raise InputError("pass a checkpoint or a classifier, not both")
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
            raise InputError("threads must be an integer from 1 on")
        if policy is not None and not isinstance(policy, Policy):
            raise InputError("policy must be a Policy, such as Policy(mode='strict')")
        if not isinstance(checkpoint, str | os.PathLike | None):
            raise InputError("checkpoint must be the path of a folder")
        self.policy = policy if policy is not None else Policy()
        self.classifier: Classifier = (
            EmbeddedClassifier(checkpoint, threads=threads) if classifier is None else classifier
        )
        self._thresholds = self._thresholds_of_mode()

    def check(self, text: str, *, source: Source | str = Source.USER) -> Verdict:
        """Judge one text, whole.

        Args:
            text: Any string, the empty one and ones with lone surrogates or NULs included.
            source: Where the text comes from: `user`, `tool`, `document` or `output`.

        Raises:
            InputError: The text is no string, or the source is unknown.
            InputTooLong: The text is longer than `Policy.max_chars`.
            CheckpointError: The checkpoint is damaged.
            CheckFailed: The check broke, and `Policy.on_error` is `"raise"`.
        """
        return self._check(self._acceptable(text, "text"), _as_source(source))

    def check_batch(
        self, texts: Iterable[str], *, source: Source | str = Source.USER
    ) -> list[Verdict]:
        """Judge several texts of one source; the verdicts stand in the order of the texts.

        A convenience: every text costs what `check` costs, for each runs by itself so that no
        answer depends on its company.

        Raises:
            InputError: As `check`; nothing is judged when one text is unacceptable.
        """
        if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
            raise InputError("texts must be a list of strings; for one string call check()")
        accepted = [self._acceptable(text, f"texts[{i}]") for i, text in enumerate(texts)]
        origin = _as_source(source)
        began = time.perf_counter()
        try:
            found = _one_door(lambda: _answers(self.classifier, accepted, origin))
        except CheckFailed:
            if self.policy.on_error == "raise":
                raise
            # One by one, so that the text that breaks the check does not decide for the others.
            return [self._check(text, origin) for text in accepted]
        mean_ms = _milliseconds(began) / max(1, len(accepted))
        return [self._verdict(answer, origin, mean_ms) for answer in found]

    async def acheck(self, text: str, *, source: Source | str = Source.USER) -> Verdict:
        """Judge one text in a worker thread, so that the event loop goes on; else like `check`."""
        import asyncio  # 50 ms to import, which synchronous callers need not pay

        return await asyncio.to_thread(self.check, text, source=source)

    def check_messages(self, messages: Iterable[Mapping[str, Any]]) -> list[MessageVerdict]:
        """Judge the messages of a chat request, each by the source that its role implies.

        User text counts as `user`, tool results as `tool`, documents and search results as
        `document`, the assistant's words and tool calls as `output`. System and developer
        messages are the application's own and are not checked; neither are images and sound.

        Args:
            messages: Mappings with `role` and `content`, as OpenAI and Anthropic clients take them.

        Raises:
            InputError: A message has an unknown shape, or as `check`.
        """
        return [
            MessageVerdict(found.message, found.source, self.check(found.text, source=found.source))
            for found in message_texts(messages)
        ]

    def _check(self, text: str, source: Source) -> Verdict:
        began = time.perf_counter()
        try:
            found = _one_door(lambda: _answer(self.classifier, text, source))
        except CheckFailed as error:
            if self.policy.on_error == "raise":
                raise
            _log.warning("%s; on_error=%r decided", error, self.policy.on_error)
            return self._unreached(str(error), len(text), _milliseconds(began))
        return self._verdict(found, source, _milliseconds(began))

    def _verdict(self, found: Classification, source: Source, latency_ms: float) -> Verdict:
        label, action = self.policy.decide(found.scores, self._thresholds[source])
        return Verdict(
            label=label,
            scores=FrozenDict(zip(LABELS, found.scores, strict=True)),
            risk=1.0 - found.scores[0],
            confidence=found.scores[LABELS.index(label)],
            action=action,
            route=found.route,
            findings=tuple(
                Finding(m.pattern, m.score, m.start, m.end, m.reason, m.decoded)
                for m in sorted(found.matches, key=lambda m: (m.start, m.end))
            ),
            span=found.span,
            scanned=found.scanned,
            latency_ms=latency_ms,
            model_version=self.classifier.info.model_version,
        )

    def _unreached(self, error: str, length: int, latency_ms: float) -> Verdict:
        return Verdict(
            label=Label.BENIGN,
            scores=FrozenDict(),
            risk=1.0,
            confidence=0.0,
            action=Action(self.policy.on_error),
            route=Route.FAST,
            findings=(),
            span=(0, 0),
            scanned=(0, length),
            latency_ms=latency_ms,
            model_version=self.classifier.info.model_version,
            error=error,
        )

    def _acceptable(self, text: object, name: str) -> str:
        if not isinstance(text, str):
            hint = "; decode it first" if isinstance(text, bytes | bytearray) else ""
            raise InputError(f"{name} must be a str, not {type(text).__name__}{hint}")
        cap = self.policy.max_chars
        if cap is not None and len(text) > cap:
            raise InputTooLong(
                f"{name} has {len(text)} characters and Policy.max_chars is {cap}: "
                "raise the cap or split the text"
            )
        return text

    def _thresholds_of_mode(self) -> dict[Source, float]:
        mode, thresholds = self.policy.mode, self.classifier.info.thresholds
        try:
            return {source: thresholds[source][mode] for source in Source}
        except KeyError:
            raise PolicyError(f"the classifier has no threshold for mode {mode}") from None


def _answer(classifier: Classifier, text: str, source: Source) -> Classification:
    found: object = classifier.classify(text, source)
    if not isinstance(found, Classification):
        raise CheckFailed("the classifier gave no Classification; the text was not cleared")
    return found


def _answers(
    classifier: Classifier, texts: Sequence[str], source: Source
) -> Sequence[Classification]:
    found = list(classifier.classify_batch(texts, source))
    if len(found) != len(texts) or not all(isinstance(one, Classification) for one in found):
        raise CheckFailed("the classifier did not answer every text; none was cleared")
    return found


def _one_door(call: Callable[[], _T]) -> _T:
    """Let the errors of this package pass, and make every other one a `CheckFailed`."""
    try:
        return call()
    except GuardrailError:
        raise
    except Exception as error:
        name = type(error).__name__
        raise CheckFailed(f"the check broke ({name}); the text was not cleared") from error


def _as_source(source: Source | str) -> Source:
    try:
        return Source(source)
    except ValueError:
        raise InputError(f"source must be one of {', '.join(Source)}") from None


def _milliseconds(began: float) -> float:
    return (time.perf_counter() - began) * 1000.0
