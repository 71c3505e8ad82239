from collections.abc import Callable

import pytest

from tests.frameworks.texts import ATTACK
from tests.matrix import way_of
from tinyguardrail_sdk import Guard, Label
from tinyguardrail_sdk.testing import ScriptedClassifier


@pytest.fixture(autouse=True)
def noted(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    """Note in the report how a test calls the framework, for `tests.matrix`."""
    if hasattr(request.node, "callspec") and (
        way := way_of(request.node.callspec.params, vars(request.module).values())
    ):
        record_property("way", way)


@pytest.fixture
def classifier() -> ScriptedClassifier:
    return ScriptedClassifier({ATTACK: Label.INJECTION, "explode": RuntimeError("explode")})


@pytest.fixture
def guard(classifier: ScriptedClassifier) -> Guard:
    return Guard(classifier=classifier)
