import asyncio
import importlib.util
import os
from collections.abc import Callable, Iterator

import pytest

from tests.frameworks.texts import ATTACK
from tests.matrix import way_of
from tinyguardrail_sdk import Guard, Label
from tinyguardrail_sdk.testing import ScriptedClassifier

if importlib.util.find_spec("crewai"):  # elsewhere others' tests of telemetry would see it
    os.environ.setdefault("CREWAI_DISABLE_TELEMETRY", "true")  # or it asks the network
    os.environ.setdefault("OTEL_SDK_DISABLED", "true")
    os.environ.setdefault("CREWAI_TESTING", "true")  # or its first run asks about tracing


@pytest.fixture(autouse=True)
def noted(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    """Note in the report how a test calls the framework, for `tests.matrix`."""
    if hasattr(request.node, "callspec") and (
        way := way_of(request.node.callspec.params, vars(request.module).values())
    ):
        record_property("way", way)


@pytest.fixture
def loop() -> Iterator[None]:
    """A loop for what would make one when it is called synchronously, and leave it open."""
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield
    asyncio.set_event_loop(None)
    made.close()


@pytest.fixture
def classifier() -> ScriptedClassifier:
    return ScriptedClassifier({ATTACK: Label.INJECTION, "explode": RuntimeError("explode")})


@pytest.fixture
def guard(classifier: ScriptedClassifier) -> Guard:
    return Guard(classifier=classifier)
