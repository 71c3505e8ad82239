"""What a check answers: frozen values whose field names are also the JSON names."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tinyguardrail_sdk.bits import BitResponse, pack, unpack
from tinyguardrail_sdk.errors import Blocked, InputError
from tinyguardrail_sdk.labels import PATTERNS, Action, Label, Pattern, Route
from tinyguardrail_sdk.redaction import Redaction


def checksum(text: str) -> int:
    """Return a number by which two different texts are told apart, for mistakes and not attacks."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Finding:
    """One hit of a detector.

    Attributes:
        pattern: The pattern detector that fired, or the name that a custom detector gives.
        score: Strength, above 0 and at most 1.
        start: Where the hit begins, a character index into the text as it was given.
        end: One past its last character.
        reason: Why it fired, in generic words that never repeat the text.
        decoded: What the hit says once decoded, where there is such a view: its first 20,000
            characters (the network reads all of it).
    """

    pattern: Pattern | str
    score: float
    start: int
    end: int
    reason: str
    decoded: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON-ready values under the same names."""
        return {
            "pattern": str(self.pattern),
            "score": self.score,
            "start": self.start,
            "end": self.end,
            "reason": self.reason,
            "decoded": self.decoded,
        }


# Without slots: with them, Python 3.11 answers an assignment to a property with a senseless error.
@dataclass(frozen=True)
class Verdict:
    """The answer to one check.

    `scores` are what the network said; `label`, `action` and `blocked` are what was decided.
    `label` is `BENIGN` while the risk is under the threshold, whatever class leads `scores`; from
    the threshold on it is the most probable of the three attacks.

    A verdict whose `scores` are empty was not reached by the network: the check failed and
    `Policy.on_error` decided. Look at `checked` first: such a verdict has the label `BENIGN` for
    want of another, risk 1, a `scanned` that begins with 0, and says in `error` what broke. A
    text that an allow-rule let pass was not read either: `checked` is False, `rule` names the rule,
    and the risk, which nobody measured, stands at 0.

    Attributes:
        label: The reported class.
        scores: Calibrated probability of every class, for the riskiest window of the text.
        risk: 1 - P(benign), or the score of a custom detector where that is higher: the number
            that thresholds are compared with.
        confidence: Probability of `label`; under 0.5 where the threshold overruled the leader. The
            risk where a custom detector gave the label.
        action: What the policy decided.
        route: Which branch of the network judged the riskiest window.
        findings: What the pattern detectors saw, at most the sixteen strongest hits of each, and
            all that custom detectors saw, in order of appearance.
        span: The riskiest window, as character indices into the text as it was given.
        scanned: Characters seen, and characters given.
        latency_ms: Time of the check in milliseconds; of a batch, the mean. The first check of a
            guard also opens the network, some tenths of a second.
        model_version: Version of the checkpoint that answered.
        error: Why the check failed, in words that never repeat the text; None when it did not.
        rule: The allow-rule that let the text pass unread; None for all other texts.
        shadowed: In shadow mode, the stricter action that the policy decided on and that was not
            taken; None otherwise.
        redaction: The text that may go on in place of the one given, where `action` is `REDACT`.
        checksum: Of the text, so that `release` knows another one; not in the JSON.
    """

    label: Label
    scores: Mapping[Label, float] = field(hash=False)
    risk: float
    confidence: float
    action: Action
    route: Route
    findings: tuple[Finding, ...]
    span: tuple[int, int]
    scanned: tuple[int, int]
    latency_ms: float
    model_version: str
    error: str | None = None
    rule: str | None = None
    shadowed: Action | None = None
    redaction: Redaction | None = None
    checksum: int | None = field(default=None, repr=False, compare=False)

    @property
    def blocked(self) -> bool:
        """Whether the text must not go on as it was given.

        True for a redacted text, too: only `release` gives what may go on. Code that knows nothing
        of redaction is safe.
        """
        return self.action in (Action.BLOCK, Action.REDACT)

    @property
    def would_block(self) -> bool:
        """Whether `blocked` would be true outside shadow mode, and is false because of it."""
        return self.shadowed is not None

    @property
    def checked(self) -> bool:
        """Whether the network judged the text; False if the check failed or a rule allowed it."""
        return bool(self.scores)

    @property
    def bits(self) -> int:
        """The 16-bit response; see `tinyguardrail_sdk.bits` for the layout."""
        found = {finding.pattern for finding in self.findings}
        return pack(
            BitResponse(
                label=self.label,
                blocked=self.blocked,
                deep=self.route is not Route.FAST,
                patterns=tuple(pattern for pattern in PATTERNS if pattern in found),
                confidence=self.confidence,
            )
        )

    @staticmethod
    def from_bits(word: int) -> BitResponse:
        """Decode a 16-bit response.

        Raises:
            InputError: The word is not an integer from 0 to 65535.
        """
        return unpack(word)

    def release(self, text: str) -> str:
        """Return what may go on: the text itself, or its redacted form.

        Args:
            text: The text that this is the verdict on.

        Raises:
            Blocked: Nothing may go on; carries this verdict.
            InputError: It is another text.
        """
        if self.redaction is None:
            self.raise_if_blocked()
        if self.checksum not in (None, checksum(text)):
            raise InputError("this is the verdict on another text; pass the one that was checked")
        return text if self.redaction is None else self.redaction.text

    def raise_if_blocked(self) -> None:
        """Raise when the text must not go on as it was given.

        Raises:
            Blocked: Carries this verdict.
        """
        if self.blocked:
            raise Blocked(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready values under the same names.

        `error`, `rule`, `shadowed` and `redaction` (its text included) are there only where they
        say something.
        """
        fields: dict[str, Any] = {
            "label": str(self.label),
            "scores": {str(label): score for label, score in self.scores.items()},
            "risk": self.risk,
            "confidence": self.confidence,
            "blocked": self.blocked,
            "action": str(self.action),
            "route": str(self.route),
            "findings": [finding.to_dict() for finding in self.findings],
            "span": list(self.span),
            "scanned": list(self.scanned),
            "bits": self.bits,
            "latency_ms": self.latency_ms,
            "model_version": self.model_version,
            "checked": self.checked,
        }
        for name in ("error", "rule", "shadowed"):
            if (value := getattr(self, name)) is not None:
                fields[name] = str(value)
        if self.redaction is not None:
            fields["redaction"] = asdict(self.redaction)
        return fields

    def to_json(self) -> str:
        """Return the verdict as one line of plain-ASCII JSON."""
        return json.dumps(self.to_dict())
