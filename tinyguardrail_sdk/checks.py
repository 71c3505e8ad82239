"""The checks of one guard: judged, in its threads where they are asynchronous, counted and told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tinyguardrail_sdk.arguments import acceptable
from tinyguardrail_sdk.classifier import Classifier
from tinyguardrail_sdk.conversation import judge_messages
from tinyguardrail_sdk.custom import CustomDetector
from tinyguardrail_sdk.errors import GuardrailError, QueueFull
from tinyguardrail_sdk.judge import Judge, milliseconds_since
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.memory import RememberingClassifier
from tinyguardrail_sdk.messages import MessageText, MessageVerdict, message_texts
from tinyguardrail_sdk.policy import Policy
from tinyguardrail_sdk.record import CheckRecord, Observers
from tinyguardrail_sdk.stats import Counters, Stats
from tinyguardrail_sdk.verdict import Verdict
from tinyguardrail_sdk.workers import Workers


class Checks:
    """What a `Guard` does; it says what each of these takes, gives and raises.

    Args:
        policy: How to decide.
        classifier: Who is asked.
        detectors: Who is asked besides.
        cache: Answers about messages that are remembered.
        workers: The threads of asynchronous checks.
        observers: Whom every check is told.
    """

    def __init__(
        self,
        policy: Policy,
        classifier: Classifier,
        detectors: Sequence[CustomDetector],
        *,
        cache: int,
        workers: Workers,
        observers: Observers,
    ) -> None:
        self._policy = policy
        self._judge = Judge(policy, classifier, detectors)
        remembering = RememberingClassifier(classifier, cache) if cache else classifier
        self._message_judge = Judge(policy, remembering, detectors)
        self._workers = workers
        self._counters = Counters()
        self._observers = observers

    def text(self, text: str, source: Source, *, redacts: bool = False) -> Verdict:
        """Judge one text."""
        accepted = acceptable(text, "text", self._policy)
        return self._judged(accepted, source, redacts=redacts)

    async def atext(self, text: str, source: Source) -> Verdict:
        """Judge one text in a thread."""
        accepted = acceptable(text, "text", self._policy)
        try:
            return await self._workers.run(lambda: self._judged(accepted, source))
        except QueueFull as error:
            return self._full(accepted, source, error)

    def batch(self, texts: Iterable[str], source: Source) -> list[Verdict]:
        """Judge several texts, all or none."""
        accepted = [acceptable(text, f"texts[{i}]", self._policy) for i, text in enumerate(texts)]
        began = time.perf_counter()
        try:
            verdicts = self._judge.judge_batch(accepted, source)
        except GuardrailError as error:
            mean_ms = milliseconds_since(began) / len(accepted)
            for text in accepted:  # none of them was cleared
                self._record(CheckRecord(text, source, None, error, mean_ms))
            raise
        for text, verdict in zip(accepted, verdicts, strict=True):
            self._record(CheckRecord(text, source, verdict, None, verdict.latency_ms))
        return verdicts

    def messages(self, messages: Iterable[Any]) -> list[MessageVerdict]:
        """Judge messages."""
        return self._judged_messages(self._message_texts(messages))

    async def amessages(self, messages: Iterable[Any]) -> list[MessageVerdict]:
        """Judge messages in a thread."""
        texts = self._message_texts(messages)
        try:
            return await self._workers.run(lambda: self._judged_messages(texts))
        except QueueFull as error:
            return [
                MessageVerdict(each.message, each.source, self._full(each.text, each.source, error))
                for each in texts
            ]

    def stats(self) -> Stats:
        """Return what was counted so far."""
        return self._counters.snapshot()

    def _message_texts(self, messages: Iterable[Any]) -> list[MessageText]:
        texts = message_texts(messages)
        for each in texts:
            acceptable(each.text, f"message {each.message}", self._policy)
        return texts

    def _judged_messages(self, texts: Sequence[MessageText]) -> list[MessageVerdict]:
        def judge(text: str, source: Source) -> Verdict:
            return self._recorded(text, source, lambda: self._message_judge.judge(text, source))

        return judge_messages(texts, judge, self._policy.max_chars)

    def _judged(self, text: str, source: Source, *, redacts: bool = False) -> Verdict:
        judge = self._judge
        return self._recorded(text, source, lambda: judge.judge(text, source, redacts=redacts))

    def _full(self, text: str, source: Source, error: QueueFull) -> Verdict:
        began = time.perf_counter()
        return self._recorded(text, source, lambda: self._judge.failed(text, source, error, began))

    def _recorded(self, text: str, source: Source, judge: Callable[[], Verdict]) -> Verdict:
        began = time.perf_counter()
        try:
            verdict = judge()
        except GuardrailError as error:
            self._record(CheckRecord(text, source, None, error, milliseconds_since(began)))
            raise
        self._record(CheckRecord(text, source, verdict, None, verdict.latency_ms))
        return verdict

    def _record(self, record: CheckRecord) -> None:
        self._counters.add(record)
        self._observers.tell(record)
