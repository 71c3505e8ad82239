"""What a check answers: frozen values whose field names are also the JSON names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinyguardrail_sdk.bits import BitResponse, pack, unpack
from tinyguardrail_sdk.errors import Blocked
from tinyguardrail_sdk.labels import PATTERNS, Action, Label, Pattern, Route


@dataclass(frozen=True, slots=True)
class Finding:
    """One hit of a pattern detector.

    Attributes:
        pattern: The detector that fired.
        score: Strength, above 0 and at most 1.
        start: Where the hit begins, a character index into the text as it was given.
        end: One past its last character.
        reason: Why it fired, in generic words that never repeat the text.
        decoded: What the hit says once decoded, where there is such a view: its first 20,000
            characters (the network reads all of it).
    """

    pattern: Pattern
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

    `scores` and `risk` are what the network said; `label`, `action` and `blocked` are what was
    decided from them. `label` is `BENIGN` while the risk is under the threshold, whatever class
    leads `scores`; from the threshold on it is the most probable of the three attacks.

    A verdict whose `scores` are empty was not reached by the network: the check failed and
    `Policy.on_error` decided. Look at `checked` first: such a verdict has the label `BENIGN` for
    want of another, risk 1, a `scanned` that begins with 0, and says in `error` what broke.

    Attributes:
        label: The reported class.
        scores: Calibrated probability of every class, for the riskiest window of the text.
        risk: 1 - P(benign), the number that thresholds are compared with.
        confidence: Probability of `label`; under 0.5 where the threshold overruled the leader.
        action: What the policy decided.
        route: Which branch of the network judged the riskiest window.
        findings: What the pattern detectors saw, at most the sixteen strongest hits of each, in
            order of appearance.
        span: The riskiest window, as character indices into the text as it was given.
        scanned: Characters seen, and characters given.
        latency_ms: Time of the check in milliseconds; of a batch, the mean. The first check of a
            guard also opens the network, some tenths of a second.
        model_version: Version of the checkpoint that answered.
        error: Why the text was not checked, in words that never repeat it; None when it was.
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

    @property
    def blocked(self) -> bool:
        """Whether the text must not go on."""
        return self.action is Action.BLOCK

    @property
    def checked(self) -> bool:
        """Whether the network judged the text; False when the check failed and a policy decided."""
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

    def raise_if_blocked(self) -> None:
        """Raise when the text was blocked.

        Raises:
            Blocked: Carries this verdict.
        """
        if self.blocked:
            raise Blocked(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON-ready values under the same names.

        `error` is there only when the text was not checked.
        """
        fields = {
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
        return fields if self.checked else {**fields, "error": self.error}

    def to_json(self) -> str:
        """Return the verdict as one line of plain-ASCII JSON."""
        return json.dumps(self.to_dict())
