import pytest

from tests.frameworks.texts import ATTACK
from tinyguardrail_sdk import Guard, Label
from tinyguardrail_sdk.testing import ScriptedClassifier


@pytest.fixture
def classifier() -> ScriptedClassifier:
    return ScriptedClassifier({ATTACK: Label.INJECTION, "explode": RuntimeError("explode")})


@pytest.fixture
def guard(classifier: ScriptedClassifier) -> Guard:
    return Guard(classifier=classifier)
