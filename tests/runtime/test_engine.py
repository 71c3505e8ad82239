"""Turns at the network: how many windows run at once, and how long one waits for its turn."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tinyguardrail_sdk import CheckFailed, Route
from tinyguardrail_sdk import engine as engines
from tinyguardrail_sdk.deadline import deadline
from tinyguardrail_sdk.engine import Engine, WindowScores

WINDOW: Any = None  # nobody reads it here
SCORES = WindowScores((1.0, 0.0, 0.0, 0.0), Route.FAST)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """One without graphs, of a machine with two processors."""
    entry = SimpleNamespace(name="char_windows", shape=[0, 5])
    monkeypatch.setattr(engines, "_session", lambda *_: SimpleNamespace(get_inputs=lambda: [entry]))
    monkeypatch.setattr(engines, "processors", lambda: 2)
    manifest: Any = None
    return Engine(Path(), manifest)


def test_no_more_than_two_windows_a_processor_run_at_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, go = threading.Semaphore(0), threading.Event()

    def run(*_: Any) -> WindowScores:
        entered.release()
        assert go.wait(30)
        return SCORES

    monkeypatch.setattr(engine, "_run", run)
    threads = [threading.Thread(target=engine.run, args=(WINDOW,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    assert all(entered.acquire(timeout=30) for _ in range(4))
    assert not entered.acquire(timeout=0.2)
    go.set()
    assert all(entered.acquire(timeout=30) for _ in range(2))
    for thread in threads:
        thread.join()


def test_a_deadline_ends_the_wait_for_a_turn_and_takes_none(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_run", lambda *_: SCORES)
    entered, go, failed = threading.Semaphore(0), threading.Event(), threading.Event()

    def wait() -> None:
        with deadline(10), pytest.raises(CheckFailed, match="deadline of 10 ms"):
            engine.run(WINDOW)
        failed.set()

    def hold(*_: Any) -> WindowScores:
        entered.release()
        assert go.wait(30)
        raise RuntimeError

    with monkeypatch.context() as held:
        held.setattr(engine, "_run", hold)
        holding = [threading.Thread(target=_broken, args=(engine,)) for _ in range(4)]
        for thread in holding:
            thread.start()
        assert all(entered.acquire(timeout=30) for _ in range(4))
        late = threading.Thread(target=wait)
        late.start()
        assert failed.wait(30)
        go.set()
        for thread in (late, *holding):
            thread.join()
    # Whoever failed gave its turn back, and whoever got none gave none back.
    assert engine._turns._value == 4
    assert engine.run(WINDOW) == SCORES


def _broken(engine: Engine) -> None:
    with pytest.raises(CheckFailed, match="RuntimeError"):
        engine.run(WINDOW)
