"""One text, one verdict: rules, network, custom detectors, policy and redaction put together."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from tinyguardrail_sdk.asking import answer, answers, one_door
from tinyguardrail_sdk.classifier import Classification, Classifier
from tinyguardrail_sdk.custom import NOTHING, CustomDetector, Raised, run_detectors
from tinyguardrail_sdk.deadline import check_deadline, deadline
from tinyguardrail_sdk.errors import CheckFailed, PolicyError
from tinyguardrail_sdk.frozen import FrozenDict
from tinyguardrail_sdk.labels import LABELS, Action, Label, Route, Source
from tinyguardrail_sdk.policy import Policy
from tinyguardrail_sdk.redaction import Redaction, Span, merge, original_span, redact, sentence
from tinyguardrail_sdk.rules import RuleBook
from tinyguardrail_sdk.verdict import Finding, Verdict, checksum

_log = logging.getLogger("tinyguardrail_sdk")

# What a redacted text is judged with in place of the replacement.
_GAP = " "
# How often a redacted text is judged again before it is blocked whole.
_REDACTION_ROUNDS = 3
_STOPPED = (Action.REDACT, Action.BLOCK)
_STRICTNESS = (Action.ALLOW, Action.FLAG, *_STOPPED)


class Judge:
    """Applies one policy to what one classifier says.

    Args:
        policy: How to decide.
        classifier: The network, or what takes its place.
        detectors: What may raise the risk beside it.

    Raises:
        PolicyError: The classifier has no threshold for the policy's mode.
    """

    def __init__(
        self, policy: Policy, classifier: Classifier, detectors: Sequence[CustomDetector] = ()
    ) -> None:
        self._policy = policy
        self._classifier = classifier
        self._detectors = tuple(detectors)
        self._rules = RuleBook(policy.allow) if policy.allow else None
        self._thresholds = _thresholds(policy, classifier)

    def judge(self, text: str, source: Source, *, redacts: bool = False) -> Verdict:
        """Judge one text.

        Args:
            text: What to judge.
            source: Where it comes from.
            redacts: Redact where the policy would block.

        Raises:
            CheckFailed: The check broke, and the policy says to raise.
            GuardrailError: As the classifier.
        """
        began = time.perf_counter()
        if (over := self._over_the_cap(text)) is not None:
            return self._unread(text, over, self._policy.on_too_long, began)
        try:
            with deadline(self._policy.deadline_ms):
                rule = None if self._rules is None else self._rules.find(text, source)
                if rule is not None:
                    return self._unjudged(text, Action.ALLOW, began, rule=rule)
                return self._verdict(text, self._ask(text, source), source, began, redacts)
        except CheckFailed as error:
            return self.failed(text, source, error, began)

    def judge_batch(self, texts: Sequence[str], source: Source) -> list[Verdict]:
        """Judge several texts of one source, each as `judge` does; `latency_ms` is their mean."""
        policy = self._policy
        apart = policy.deadline_ms is not None or self._rules is not None
        if apart or any(self._over_the_cap(text) for text in texts):
            return [self.judge(text, source) for text in texts]
        began = time.perf_counter()
        try:
            found = one_door(lambda: answers(self._classifier, texts, source))
            verdicts = [
                self._verdict(text, each, source, began)
                for text, each in zip(texts, found, strict=True)
            ]
        except CheckFailed:
            if self._raises(source):
                raise
            # One by one, so that the text that breaks the check does not decide for the others.
            return [self.judge(text, source) for text in texts]
        mean_ms = milliseconds_since(began) / max(1, len(texts))
        return [replace(verdict, latency_ms=mean_ms) for verdict in verdicts]

    def failed(self, text: str, source: Source, error: CheckFailed, began: float) -> Verdict:
        """Answer as the policy says for a text that could not be checked.

        Raises:
            CheckFailed: The policy says to raise: the error itself.
        """
        if self._raises(source):
            raise error
        outcome = self._policy.outcome(source)
        _log.warning("%s; on_error=%r decided", error, outcome)
        return self._unread(text, str(error), outcome, began)

    def _raises(self, source: Source) -> bool:
        """Whether a check that breaks raises: in shadow mode nothing stops the host."""
        return self._policy.outcome(source) == "raise" and not self._policy.shadow

    def _over_the_cap(self, text: str) -> str | None:
        cap = self._policy.max_chars
        if cap is None or len(text) <= cap:
            return None
        return f"the text has {len(text)} characters and Policy.max_chars is {cap}"

    def _ask(self, text: str, source: Source) -> Classification:
        return one_door(lambda: answer(self._classifier, text, source))

    def _verdict(
        self,
        text: str,
        found: Classification,
        source: Source,
        began: float,
        redacts: bool = False,
    ) -> Verdict:
        raised = self._raised(text, found, source)
        label, risk = self._label(found, raised, source)
        action = self._policy.action(label, source)
        if redacts and action is Action.BLOCK:
            action = Action.REDACT
        action, shadowed = self._softened(action)
        findings = _findings(found, raised)
        redaction = None
        if action is Action.REDACT:
            redaction = self._redaction(text, findings, found.span, source)
            action = Action.BLOCK if redaction is None else action
        return Verdict(
            label=label,
            scores=FrozenDict(zip(LABELS, found.scores, strict=True)),
            risk=risk,
            confidence=max(found.scores[LABELS.index(label)], raised.scores.get(label, 0.0)),
            action=action,
            route=found.route,
            findings=findings,
            span=found.span,
            scanned=found.scanned,
            latency_ms=milliseconds_since(began),
            model_version=self._classifier.info.model_version,
            shadowed=shadowed,
            redaction=redaction,
            checksum=checksum(text),
        )

    def _raised(self, text: str, found: Classification, source: Source) -> Raised:
        """What the detectors say; one that breaks does not undo what the network found."""
        try:
            return run_detectors(self._detectors, text, source)
        except CheckFailed:
            label = self._label(found, NOTHING, source)[0]
            if self._raises(source) or self._policy.action(label, source) not in _STOPPED:
                raise
            return NOTHING

    def _label(self, found: Classification, raised: Raised, source: Source) -> tuple[Label, float]:
        """What a text is, and its risk: of all that say attack, the one with the strictest action.

        By the highest score alone, a detector whose label is allowed would hide a blocked attack.
        """
        threshold, risk = self._thresholds[source], 1.0 - found.scores[0]
        attacks = [(score, label) for label, score in raised.scores.items() if score >= threshold]
        label = self._policy.decide(found.scores, threshold)[0]
        if label is not Label.BENIGN:
            attacks.append((risk, label))
        highest = max([risk, *raised.scores.values()])
        if not attacks:
            return Label.BENIGN, highest
        strictest = max(
            attacks, key=lambda a: (_STRICTNESS.index(self._policy.action(a[1], source)), a[0])
        )
        return strictest[1], highest

    def _softened(self, action: Action) -> tuple[Action, Action | None]:
        """What is done, and in shadow mode what would have been."""
        if self._policy.shadow and action in _STOPPED:
            return Action.FLAG, action
        return action, None

    def _redaction(
        self, text: str, findings: Sequence[Finding], window: Span, source: Source
    ) -> Redaction | None:
        """Cut until the rest is harmless; None when it does not become so.

        First the sentences of what detectors found in the riskiest window. If that does not help,
        or they found nothing, the window.
        """
        try:
            return self._cut(text, findings, window, source)
        except CheckFailed:
            if self._raises(source):
                raise
            return None  # it is an attack all the same

    def _cut(
        self, text: str, findings: Sequence[Finding], window: Span, source: Source
    ) -> Redaction | None:
        replacement = self._policy.replacement
        # The words of the replacement are not the text's: they would be judged with it.
        gap = replacement and _GAP
        inside = [f for f in findings if f.start < window[1] and f.end > window[0]]
        cuts = merge(text, [sentence(text, f.start, f.end) for f in inside] or [window])
        for _ in range(_REDACTION_ROUNDS):
            rest = redact(text, cuts, gap)
            found = self._ask(rest, source)
            raised = run_detectors(self._detectors, rest, source)
            if self._label(found, raised, source)[0] is Label.BENIGN:
                return Redaction(redact(text, cuts, replacement), cuts)
            spans = [found.span, *((f.start, f.end) for f in raised.findings)]
            placed = (original_span(span, cuts, gap) for span in spans)
            cuts = merge(text, [*cuts, *placed])
            check_deadline()
        return None

    def _unread(self, text: str, error: str, outcome: str, began: float) -> Verdict:
        wanted = Action.ALLOW if outcome == "allow" else Action.BLOCK
        action, shadowed = self._softened(wanted)
        return self._unjudged(text, action, began, error=error, shadowed=shadowed)

    def _unjudged(
        self,
        text: str,
        action: Action,
        began: float,
        *,
        error: str | None = None,
        rule: str | None = None,
        shadowed: Action | None = None,
    ) -> Verdict:
        return Verdict(
            label=Label.BENIGN,
            scores=FrozenDict(),
            risk=0.0 if rule is not None else 1.0,
            confidence=0.0,
            action=action,
            route=Route.FAST,
            findings=(),
            span=(0, 0),
            scanned=(0, len(text)),
            latency_ms=milliseconds_since(began),
            model_version=self._classifier.info.model_version,
            error=error,
            rule=rule,
            shadowed=shadowed,
            checksum=checksum(text),
        )


def _findings(found: Classification, raised: Raised) -> tuple[Finding, ...]:
    seen = [Finding(m.pattern, m.score, m.start, m.end, m.reason, m.decoded) for m in found.matches]
    return tuple(sorted([*seen, *raised.findings], key=lambda f: (f.start, f.end)))


def _thresholds(policy: Policy, classifier: Classifier) -> dict[Source, float]:
    thresholds = classifier.info.thresholds
    try:
        return {source: thresholds[source][policy.mode] for source in Source}
    except KeyError:
        raise PolicyError(f"the classifier has no threshold for mode {policy.mode}") from None


def milliseconds_since(began: float) -> float:
    """Milliseconds since a `time.perf_counter()`."""
    return (time.perf_counter() - began) * 1000.0
