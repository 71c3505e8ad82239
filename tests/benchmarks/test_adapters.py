import gc
from collections.abc import Callable, Iterator

import pytest

from benchmarks import adapters
from tinyguardrail_sdk.testing import ScriptedClassifier

Taking = Callable[[float], Callable[[], None]]


@pytest.fixture
def taking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Taking]:
    """Makes calls that take so many milliseconds, on a machine that gets slower and slower."""
    now, slower = 0.0, 0.0

    def call_of(milliseconds: float) -> Callable[[], None]:
        def call() -> None:
            nonlocal now, slower
            slower += 1e-9
            now += milliseconds / 1e3 + slower

        return call

    monkeypatch.setattr("benchmarks.adapters.time.thread_time", lambda: now)
    yield call_of
    assert gc.isenabled()


def test_what_the_parts_do_not_explain_is_left(taking: Taking) -> None:
    rounds: list[int] = []
    parts = [taking(2.0), taking(1.0)]
    middle, low, high = adapters.differences(taking(5.0), parts, 100, lambda: rounds.append(1))
    assert len(rounds) == 110
    assert middle == pytest.approx(2.0, abs=0.02)
    assert low <= middle <= high


def test_the_checks_by_hand_are_those_of_the_guarded_call() -> None:
    script, made = ScriptedClassifier(), []
    for call in adapters.calls(script, 3):
        call()
        made.append([*script.calls])
        script.calls.clear()
    guarded, plain, by_hand = made
    assert guarded == by_hand
    assert len(guarded) > 3
    assert plain == []
