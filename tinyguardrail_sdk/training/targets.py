"""What calibration aims at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Mode


@dataclass(frozen=True)
class Targets:
    """What calibration aims at.

    Attributes:
        fast_share: Share of texts that the fast branch should answer.
        most_escalated: Largest share of texts that may be tried fast and then go deep.
        false_alarms: Share of benign texts that may be flagged, by mode.
        floors: Lowest threshold by mode. Validation texts resemble training texts, so the risk of
            their benign ones is lower than that of texts from elsewhere.
    """

    fast_share: float = 0.7
    most_escalated: float = 0.12
    false_alarms: Mapping[Mode, float] = field(
        default_factory=lambda: {Mode.STRICT: 0.02, Mode.BALANCED: 0.008, Mode.PERMISSIVE: 0.002}
    )
    floors: Mapping[Mode, float] = field(
        default_factory=lambda: {Mode.STRICT: 0.1, Mode.BALANCED: 0.3, Mode.PERMISSIVE: 0.5}
    )

    @classmethod
    def for_rate(cls, balanced: float | None) -> Targets:
        """False-alarm rates in the default proportions, about the one of mode balanced."""
        usual = cls()
        if balanced is None:
            return usual
        factor = balanced / usual.false_alarms[Mode.BALANCED]
        return cls(false_alarms={mode: p * factor for mode, p in usual.false_alarms.items()})

    def __post_init__(self) -> None:
        for name in ("fast_share", "most_escalated"):
            given, usual = getattr(self, name), getattr(Targets, name)
            if not 0 <= given <= 1:
                raise InputError(f"{name}={given} is a share of texts in [0, 1]; {usual} is usual")
        for name in ("false_alarms", "floors"):
            for mode in Mode:
                value = getattr(self, name).get(mode)
                if value is None or not 0 <= value < 1:
                    given = "missing" if value is None else value
                    raise InputError(f"{name}.{mode}={given} must be a share in [0, 1)")
