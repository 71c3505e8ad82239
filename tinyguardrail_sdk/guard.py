"""The one noun: `Guard` checks texts."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tinyguardrail_sdk.classifier import Classifier, EmbeddedClassifier
from tinyguardrail_sdk.custom import CustomDetector
from tinyguardrail_sdk.errors import GuardrailError, InputError, InputTooLong
from tinyguardrail_sdk.judge import Judge
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.messages import MessageVerdict, message_texts
from tinyguardrail_sdk.policy import Policy
from tinyguardrail_sdk.record import CheckRecord, Observer, Observers
from tinyguardrail_sdk.stats import Counters, Stats
from tinyguardrail_sdk.verdict import Verdict

logging.getLogger("tinyguardrail_sdk").addHandler(logging.NullHandler())


class Guard:
    """Judges texts on their way to and from a language model.

    Cheap to make and safe to share between threads: the network is opened once, by the first
    check. Make one for the life of the application.

    Args:
        checkpoint: Folder of a retrained checkpoint; by default the one in the package.
        policy: How to decide; by default balanced, and every attack is blocked.
        threads: Processor threads that one check may use.
        classifier: Takes the place of the checkpoint's network, for tests and experiments.
        detectors: Detectors of your own, which run beside the network and can raise the risk.
        on_block: Called with the `CheckRecord` when a text must not go on as it was given.
        on_flag: Called when a text was flagged, in shadow mode of one that would be blocked, too.
        on_error: Called when a text could not be checked, in place of the other two.
        observers: Called after every check, such as an `AuditLog`. Like the three above they run in
            the thread of the check; what they raise is logged and changes nothing.

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
        detectors: Sequence[CustomDetector] = (),
        on_block: Observer | None = None,
        on_flag: Observer | None = None,
        on_error: Observer | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        if checkpoint is not None and classifier is not None:
            raise InputError("pass a checkpoint or a classifier, not both")
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
            raise InputError("threads must be an integer from 1 on")
        if policy is not None and not isinstance(policy, Policy):
            raise InputError("policy must be a Policy, such as Policy(mode='strict')")
        if isinstance(checkpoint, Policy):
            raise InputError("the first argument is a checkpoint: write Guard(policy=Policy(...))")
        if not isinstance(checkpoint, str | os.PathLike | None):
            raise InputError("checkpoint must be the path of a folder")
        self.policy = policy if policy is not None else Policy()
        self.classifier: Classifier = (
            EmbeddedClassifier(checkpoint, threads=threads) if classifier is None else classifier
        )
        self._judge = Judge(self.policy, self.classifier, _detectors(detectors))
        self._counters = Counters()
        self._observers = Observers(observers, on_block, on_flag, on_error)

    def check(self, text: str, *, source: Source | str = Source.USER) -> Verdict:
        """Judge one text, whole.

        Args:
            text: Any string, the empty one and ones with lone surrogates or NULs included.
            source: Where the text comes from: `user`, `tool`, `document` or `output`.

        Raises:
            InputError: The text is no string, or the source is unknown.
            InputTooLong: The text is longer than `Policy.max_chars`, and `Policy.on_too_long` is
                `"raise"`.
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
            verdicts = self._judge.judge_batch(accepted, origin)
        except GuardrailError as error:
            mean_ms = _milliseconds(began) / len(accepted)
            for text in accepted:  # none of them was cleared
                self._record(CheckRecord(text, origin, None, error, mean_ms))
            raise
        for text, verdict in zip(accepted, verdicts, strict=True):
            self._record(CheckRecord(text, origin, verdict, None, verdict.latency_ms))
        return verdicts

    def redact(self, text: str, *, source: Source | str = Source.USER) -> Verdict:
        """Judge one text, and cut out what makes it an attack where the policy would block it.

        The rest is judged again, and is offered only if it is harmless: `verdict.release(text)`
        returns it, or raises `Blocked`. Costs two to four checks where there is something to cut.

        Raises:
            InputError: As `check`.
        """
        return self._check(self._acceptable(text, "text"), _as_source(source), redacts=True)

    async def acheck(self, text: str, *, source: Source | str = Source.USER) -> Verdict:
        """Judge one text in a worker thread, so that the event loop goes on; else like `check`."""
        import asyncio  # 50 ms to import, which synchronous callers need not pay

        return await asyncio.to_thread(self.check, text, source=source)

    def check_messages(self, messages: Iterable[Mapping[str, Any]]) -> list[MessageVerdict]:
        """Judge the messages of a chat request, each by the source that its role implies.

        User text counts as `user`, tool results as `tool`, documents and search results as
        `document`, the assistant's words and tool calls as `output`. System and developer
        messages are the application's own and are not checked; neither are images and sound.

        A content of None is empty content, as in an assistant's message that only calls tools: the
        arguments of its calls are checked, and a message without any text gives no verdict.

        Args:
            messages: Mappings with `role` and `content`, as OpenAI and Anthropic clients take them.

        Raises:
            InputError: A message has an unknown shape, or as `check`.
        """
        return [
            MessageVerdict(found.message, found.source, self.check(found.text, source=found.source))
            for found in message_texts(messages)
        ]

    def stats(self) -> Stats:
        """Return what this guard counted so far in this process; a forked child starts anew."""
        return self._counters.snapshot()

    def _check(self, text: str, source: Source, *, redacts: bool = False) -> Verdict:
        began = time.perf_counter()
        try:
            verdict = self._judge.judge(text, source, redacts=redacts)
        except GuardrailError as error:
            self._record(CheckRecord(text, source, None, error, _milliseconds(began)))
            raise
        self._record(CheckRecord(text, source, verdict, None, verdict.latency_ms))
        return verdict

    def _record(self, record: CheckRecord) -> None:
        self._counters.add(record)
        self._observers.tell(record)

    def _acceptable(self, text: object, name: str) -> str:
        if not isinstance(text, str):
            hint = "; decode it first" if isinstance(text, bytes | bytearray) else ""
            raise InputError(f"{name} must be a str, not {type(text).__name__}{hint}")
        cap = self.policy.max_chars
        refuses = self.policy.on_too_long == "raise" and not self.policy.shadow
        if cap is not None and len(text) > cap and refuses:
            raise InputTooLong(
                f"{name} has {len(text)} characters and Policy.max_chars is {cap}: "
                "raise the cap or split the text"
            )
        return text


def _detectors(detectors: Sequence[CustomDetector]) -> Sequence[CustomDetector]:
    if not all(isinstance(detector, CustomDetector) for detector in detectors):
        raise InputError("detectors must be a list of CustomDetector")
    return detectors


def _as_source(source: Source | str) -> Source:
    try:
        return Source(source)
    except ValueError:
        raise InputError(f"source must be one of {', '.join(Source)}") from None


def _milliseconds(began: float) -> float:
    return (time.perf_counter() - began) * 1000.0
