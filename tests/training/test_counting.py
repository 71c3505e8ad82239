"""A log, which is no terminal, is told now and then how far a command is."""

from __future__ import annotations

import pytest

pytest.importorskip("rich")

from tinyguardrail_sdk.training import counting as module  # noqa: E402
from tinyguardrail_sdk.training.counting import counting, counting_parts  # noqa: E402

pytestmark = pytest.mark.train


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_a_log_has_a_line_every_half_minute_at_most(
    clock: _Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with counting("score") as progress:
        for second in range(70):
            clock.now = float(second)
            progress(second * 100, 10_000)
    assert capsys.readouterr().err.splitlines() == [
        "score: 3,000 of 10,000 (30%)",
        "score: 6,000 of 10,000 (60%)",
    ]


def test_parts_are_named_and_what_is_unknown_is_left_out(
    clock: _Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with counting_parts() as progress:
        for name in ("old", "new"):
            clock.now += 60
            progress(name, 5, 0)
    assert capsys.readouterr().err.splitlines() == ["old: 5", "new: 5"]


def test_what_is_quick_says_nothing(clock: _Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with counting("score") as progress:
        progress(10, 10)
    assert capsys.readouterr().err == ""
