"""What is told of a finished check, and to whom."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tinyguardrail_sdk.errors import GuardrailError
from tinyguardrail_sdk.labels import Action, Source
from tinyguardrail_sdk.verdict import Verdict

_log = logging.getLogger("tinyguardrail_sdk")


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """One finished check.

    Attributes:
        text: What was checked; not in the record's `repr`, so that printing one shows no text.
        source: Where it came from.
        verdict: The answer; None where the check raised.
        error: What the check raised; None where there is a verdict.
        latency_ms: Time of the check in milliseconds; of a batch, the mean.
    """

    text: str = field(repr=False)
    source: Source
    verdict: Verdict | None
    error: GuardrailError | None
    latency_ms: float

    @property
    def failed(self) -> bool:
        """Whether the text could not be checked, whatever was decided then."""
        return self.verdict is None or self.verdict.error is not None


Observer = Callable[[CheckRecord], object]


class Observers:
    """Calls what the host wants to be told by; what that raises is logged, and changes nothing.

    Args:
        every: Called after every check.
        on_block: Called when a text must not go on as it was given.
        on_flag: Called when a text was flagged.
        on_error: Called when a text could not be checked; the other two are not called then.
    """

    def __init__(
        self,
        every: Sequence[Observer] = (),
        on_block: Observer | None = None,
        on_flag: Observer | None = None,
        on_error: Observer | None = None,
    ) -> None:
        self._every = tuple(every)
        self._on_block, self._on_flag, self._on_error = on_block, on_flag, on_error

    def tell(self, record: CheckRecord) -> None:
        """Tell all whom a check concerns."""
        for observer in (*self._every, self._concerned(record)):
            if observer is None:
                continue
            try:
                observer(record)
            except Exception as error:
                # Without its message, which may hold the text.
                _log.error("an observer of checks failed (%s)", type(error).__name__)

    def _concerned(self, record: CheckRecord) -> Observer | None:
        if record.failed or record.verdict is None:
            return self._on_error
        if record.verdict.blocked:
            return self._on_block
        return self._on_flag if record.verdict.action is Action.FLAG else None
