import gc
from collections.abc import Callable, Iterator

import pytest

from benchmarks import adapters
from tinyguardrail_sdk.testing import ScriptedClassifier

Taking = Callable[[float], Callable[[], None]]
ROUNDS = 110  # ten of them warm up
CALLS = ROUNDS * 3
MIDDLE = 1.55  # how much slower the machine is in the middle of the others


@pytest.fixture
def taking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Taking]:
    """Makes calls that take so many milliseconds, and twice as many after `CALLS` of them."""
    now, made = 0.0, 0

    def call_of(milliseconds: float) -> Callable[[], None]:
        def call() -> None:
            nonlocal now, made
            now += milliseconds / 1e3 * (1 + made / CALLS)
            made += 1

        return call

    monkeypatch.setattr("benchmarks.adapters.time.thread_time", lambda: now)
    yield call_of
    assert gc.isenabled()


def test_what_the_parts_do_not_explain_is_left(taking: Taking) -> None:
    rounds: list[int] = []
    parts = [taking(2.0), taking(1.0)]
    middle, low, high = adapters.differences(taking(5.0), parts, 100, lambda: rounds.append(1))
    assert len(rounds) == ROUNDS
    assert middle == pytest.approx(2.0 * MIDDLE, abs=0.05)
    assert 2.0 < low < middle < high < 4.0


def test_of_the_parts_by_themselves_nothing_is_left(taking: Taking) -> None:
    parts = [taking(2.0), taking(1.0)]
    control = adapters.differences(adapters.in_a_row(parts), parts, 100, lambda: None)
    assert control.ms == pytest.approx(0.0, abs=0.05)


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
