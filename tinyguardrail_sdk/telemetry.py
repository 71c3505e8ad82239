"""Checks as OpenTelemetry spans and metrics, through its API alone: where they go is the host's.

pip install "tinyguardrail-sdk[otel]"

guard = Guard(observers=[OpenTelemetry()])
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tinyguardrail_sdk.errors import GuardrailError
from tinyguardrail_sdk.record import CheckRecord
from tinyguardrail_sdk.version import __version__

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

_SCOPE = "tinyguardrail_sdk"


class OpenTelemetry:
    """Reports every check as a span `tinyguardrail.check` and in two instruments.

    An observer of checks: pass it to `Guard(observers=[...])`. The counter `tinyguardrail.checks`
    and the histogram `tinyguardrail.check.duration` (seconds) carry the source, label, action and
    route; the span, a child of the one under way, has the risk and model version besides. Nothing
    reported holds text. Without a configured SDK all of it does nothing.

    Args:
        tracer_provider: By default the global one.
        meter_provider: By default the global one.

    Raises:
        ImportError: `opentelemetry-api` is not installed.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        try:
            from opentelemetry import metrics, trace
        except ImportError:
            raise ImportError(
                "OpenTelemetry needs its API: pip install 'tinyguardrail-sdk[otel]'"
            ) from None
        self._tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider)
        meter = metrics.get_meter(_SCOPE, __version__, meter_provider)
        self._checks = meter.create_counter("tinyguardrail.checks", "{check}", "Finished checks")
        self._duration = meter.create_histogram(
            "tinyguardrail.check.duration", "s", "Time of a check"
        )
        self._failed = trace.Status(trace.StatusCode.ERROR)

    def __call__(self, record: CheckRecord) -> None:
        """Report a finished check."""
        attributes = _attributes(record)
        self._checks.add(1, attributes)
        self._duration.record(record.latency_ms / 1000.0, attributes)
        ended = time.time_ns()
        span = self._tracer.start_span(
            "tinyguardrail.check", start_time=ended - int(record.latency_ms * 1e6)
        )
        if span.is_recording():
            span.set_attributes(attributes | _details(record))
            if record.failed:
                span.set_status(self._failed)
        span.end(ended)


def _attributes(record: CheckRecord) -> dict[str, str | bool | float]:
    """What metrics carry: few values each."""
    attributes: dict[str, str | bool | float] = {"tinyguardrail.source": str(record.source)}
    if record.failed:
        attributes["error.type"] = _error_type(record.error)
    verdict = record.verdict
    if verdict is not None:
        attributes["tinyguardrail.action"] = str(verdict.action)
        attributes["tinyguardrail.would_block"] = verdict.would_block
        if verdict.checked:
            attributes["tinyguardrail.label"] = str(verdict.label)
            attributes["tinyguardrail.route"] = str(verdict.route)
        if verdict.rule is not None:
            attributes["tinyguardrail.rule"] = verdict.rule
    return attributes


def _details(record: CheckRecord) -> dict[str, str | bool | float]:
    if record.verdict is None or not record.verdict.checked:
        return {}
    return {
        "tinyguardrail.risk": record.verdict.risk,
        "tinyguardrail.model_version": record.verdict.model_version,
    }


def _error_type(error: GuardrailError | None) -> str:
    # Where a policy decided, there is a verdict and no exception.
    return "CheckFailed" if error is None else type(error).__name__
