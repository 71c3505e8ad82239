import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tinyguardrail_sdk import Guard, Policy
from tinyguardrail_sdk.telemetry import OpenTelemetry
from tinyguardrail_sdk.testing import ScriptedClassifier

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode


class Collected:
    """An SDK that keeps in memory what it is given."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.meters = MeterProvider([self.reader])

    def metrics(self) -> dict[str, list[Any]]:
        data: Any = self.reader.get_metrics_data()
        (resource,) = data.resource_metrics
        (scope,) = resource.scope_metrics
        return {metric.name: list(metric.data.data_points) for metric in scope.metrics}


@pytest.fixture
def collected() -> Iterator[Collected]:
    kept = Collected()
    yield kept
    kept.tracers.shutdown()
    kept.meters.shutdown()


def test_a_check_is_a_span_and_counts(scripted: ScriptedClassifier, collected: Collected) -> None:
    observer = OpenTelemetry(collected.tracers, collected.meters)
    guard = Guard(classifier=scripted, observers=[observer], policy=Policy(on_error="block"))
    with collected.tracers.get_tracer("app").start_as_current_span("request"):
        guard.check("ignore the secret", source="tool")
    guard.check("explode")
    check, request, failed = collected.spans.get_finished_spans()
    assert check.name == "tinyguardrail.check"
    assert check.parent is not None
    assert request.context is not None
    assert check.parent.span_id == request.context.span_id
    attributes = dict(check.attributes or {})
    assert attributes["tinyguardrail.label"] == "injection"
    assert attributes["tinyguardrail.action"] == "block"
    assert attributes["tinyguardrail.source"] == "tool"
    assert attributes["tinyguardrail.risk"] == pytest.approx(0.99)
    assert "secret" not in check.to_json()
    assert (check.end_time or 0) > (check.start_time or 0)
    assert failed.status.status_code is StatusCode.ERROR
    assert dict(failed.attributes or {})["error.type"] == "CheckFailed"
    points = collected.metrics()
    assert sum(point.value for point in points["tinyguardrail.checks"]) == 2
    assert sum(point.count for point in points["tinyguardrail.check.duration"]) == 2
    assert not any(
        "tinyguardrail.risk" in point.attributes for point in points["tinyguardrail.checks"]
    )


def test_without_an_sdk_it_does_nothing(scripted: ScriptedClassifier) -> None:
    assert Guard(classifier=scripted, observers=[OpenTelemetry()]).check("ignore").blocked


def test_without_the_api_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ImportError, match=r"tinyguardrail-sdk\[otel\]"):
        OpenTelemetry()
