from collections.abc import Iterator

import pytest

from tests.adapters.shapes import ATTACK
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Guard, Label
from tinyguardrail_sdk.testing import ScriptedClassifier


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as running:
        yield running


@pytest.fixture
def classifier() -> ScriptedClassifier:
    return ScriptedClassifier({ATTACK: Label.INJECTION})


@pytest.fixture
def guard(classifier: ScriptedClassifier) -> Guard:
    return Guard(classifier=classifier)
