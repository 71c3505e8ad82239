"""Work in several processes: what becomes of it when something ends before its time."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.errors import GuardrailError, InputError
from tinyguardrail_sdk.training.data import parts
from tinyguardrail_sdk.training.data.parallel import in_order

KILLED = """
import os, signal
from itertools import count
from tinyguardrail_sdk.training.data.parallel import in_order

def start():
    return abs

if __name__ == "__main__":
    for _ in in_order(start, count(), 2):
        os.kill(os.getpid(), signal.SIGKILL)
"""

# Three tasks a process would take a minute; the first one says that it is being done.
ASLEEP = """
import os, signal, sys, time
from pathlib import Path
from tinyguardrail_sdk.training.data.parallel import in_order

def start():
    return nap

def nap(number):
    Path(sys.argv[1], str(number)).touch()
    time.sleep(20)

if __name__ == "__main__":
    # What is started in the background of a script ignores the signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for _ in in_order(start, range(6), 2):
        pass
"""


def _refusing() -> Callable[[int], int]:
    raise InputError("the third line is wrong")


def _napping() -> Callable[[float], float]:
    return _nap


def _nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def _dividing() -> Callable[[int], float]:
    return _inverse


def _inverse(number: int) -> float:
    return 1 / number


class _Unportable(Exception):
    """Made of two values, of which `args` keeps one."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"{place}: {why}")


def _raising_what_cannot_be_sent() -> Callable[[int], int]:
    return _raise_unportable


def _raise_unportable(number: int) -> int:
    raise _Unportable("line 3", "no label")


def _returning_what_cannot_be_sent() -> Callable[[int], Callable[[], int]]:
    return _local


def _local(number: int) -> Callable[[], int]:
    return lambda: number


def _dying() -> Callable[[int], int]:
    return os._exit


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_workers_end_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    # The workers have its standard output, too: while one of them lives, it does not end.
    done = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, timeout=120)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups here")
def test_an_interrupt_waits_for_no_task(tmp_path: Path) -> None:
    script, begun = tmp_path / "asleep.py", tmp_path / "begun"
    script.write_text(ASLEEP, encoding="utf-8")
    begun.mkdir()
    # As a terminal does it: the signal goes to the whole group, the workers among them.
    running = subprocess.Popen(
        [sys.executable, script, begun], stderr=subprocess.PIPE, start_new_session=True
    )
    until = time.monotonic() + 120
    while len(list(begun.iterdir())) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGINT)
    start = time.monotonic()
    _, told = running.communicate(timeout=120)  # ends with the last process that has the pipe
    assert time.monotonic() - start < 15
    assert running.returncode == -signal.SIGINT
    assert told.count(b"Traceback") == 1  # none of the workers'
    assert len(list(begun.iterdir())) == 2


def test_who_has_enough_waits_for_no_task(tmp_path: Path) -> None:
    results = in_order(_napping, [0.0, 60.0, 60.0], 2)
    assert next(iter(results)) == 0.0
    start = time.monotonic()
    results.close()
    assert time.monotonic() - start < 30
    assert not multiprocessing.active_children()


def test_an_error_of_a_task_says_where_it_was(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(in_order(_dividing, [1, 0], 2))
    assert "in _inverse" in str(caught.value.__cause__)


@pytest.mark.train
def test_a_command_that_is_asked_to_end_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_draft", lambda *_: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(SystemExit) as ended:
        main(["data", "generate", "--output", str(tmp_path / "out"), "--total", "100"])
    assert ended.value.code == 128 + signal.SIGTERM
    assert list((tmp_path / "out").iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.train
def test_a_full_disk_leaves_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(parts, "_draft", full)
    assert main(["data", "generate", "--output", str(tmp_path / "out"), "--total", "100"]) == 2
    assert "no space left; make room" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_what_cannot_start_says_why(workers: int) -> None:
    with pytest.raises(InputError, match="third line"):
        next(in_order(_refusing, count(), workers))


def test_an_error_that_cannot_be_sent_is_told_all_the_same() -> None:
    with pytest.raises(GuardrailError, match="_Unportable: line 3: no label") as caught:
        list(in_order(_raising_what_cannot_be_sent, [1, 2], 2))
    assert "in _raise_unportable" in str(caught.value.__cause__)


def test_a_result_that_cannot_be_sent_is_told() -> None:
    with pytest.raises(GuardrailError, match=r"can be pickled.*lambda"):
        list(in_order(_returning_what_cannot_be_sent, [1, 2], 2))


def test_a_worker_that_is_ended_is_told_with_a_remedy() -> None:
    with pytest.raises(GuardrailError, match="fewer workers"):
        next(in_order(_dying, count(), 2))


def test_no_workers_are_refused() -> None:
    with pytest.raises(InputError, match="workers=0"):
        next(in_order(_refusing, count(), 0))
