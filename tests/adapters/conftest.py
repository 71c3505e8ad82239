import ssl
from collections.abc import Callable, Iterator

import pytest

from tests.adapters.conformance import ATTACK, Conformance, parameters
from tests.adapters.replies import REPLIES
from tests.adapters.wire import Wire
from tests.matrix import way_of
from tinyguardrail_sdk import Guard, Label
from tinyguardrail_sdk.testing import ScriptedClassifier


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.cls is not None and issubclass(metafunc.cls, Conformance):
        for name, values in parameters(metafunc.cls).items():
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, values)


@pytest.fixture(autouse=True)
def no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loopback server has none, and loading the world's is most of what making a client takes."""
    monkeypatch.setattr(
        ssl, "create_default_context", lambda *_, **__: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    )


@pytest.fixture(autouse=True)
def noted(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    """Note in the report which way to call a client a test is about, for `tests.matrix`."""
    known = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    if way := way_of(known):
        record_property("way", way)
    elif "hostile" in known:
        record_property("way", str(known["hostile"][0]))
        record_property("where", request.node.callspec.id.rpartition("-")[2])


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire(REPLIES) as running:
        yield running


@pytest.fixture
def classifier() -> ScriptedClassifier:
    return ScriptedClassifier({ATTACK: Label.INJECTION})


@pytest.fixture
def guard(classifier: ScriptedClassifier) -> Guard:
    return Guard(classifier=classifier)
