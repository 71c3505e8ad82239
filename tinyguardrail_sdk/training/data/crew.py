"""Processes that do tasks for threads, one a thread, and that can be stopped in the middle of one.

The pools of the standard library wait for running tasks, and share one queue of results, which a
process that is killed while it writes would leave locked. Here each process has a pipe of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic, NoReturn, TypeVar

from tinyguardrail_sdk.errors import GuardrailError

Task = TypeVar("Task")
Result = TypeVar("Result")

# Spawned, not forked: PyTorch's threads would not survive a fork.
_SPAWN = multiprocessing.get_context("spawn")


class Crew(Generic[Task, Result]):
    """Processes that are started as threads ask for them.

    Args:
        start: Makes the function that does a task; called once in every process.
    """

    def __init__(self, start: Callable[[], Callable[[Task], Result]]) -> None:
        self._start = start
        self._own = threading.local()
        self._processes: list[BaseProcess] = []
        self._dismissed = False
        self._hiring = threading.Lock()

    def do(self, task: Task) -> Result:
        """Have a task done by the process of this thread.

        Raises:
            GuardrailError: The process was ended from outside, or the result cannot be pickled.
            Exception: What `start` or the task raised; one that cannot be pickled comes as a
                GuardrailError with its type and text.
        """
        pipe = getattr(self._own, "pipe", None)
        if pipe is None:
            pipe = self._own.pipe = self._hire()
        try:
            pipe.send(task)
            result, error, where = pipe.recv()
        except (EOFError, OSError):
            raise GuardrailError(
                "a worker process was ended from outside, for want of memory perhaps: run this "
                "again with fewer workers. In a script of your own, calls with workers must stand "
                'under `if __name__ == "__main__":`'
            ) from None
        if error is not None:
            raise error from _InWorker(where)
        return result  # type: ignore[no-any-return]

    def dismiss(self) -> None:
        """Stop all processes at once; what they are doing is lost."""
        with self._hiring:
            self._dismissed = True
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join()

    def _hire(self) -> Connection[Any, Any]:
        ours, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_work, args=(self._start, theirs), daemon=True)
        with theirs, self._hiring, _interrupts_blocked():
            if self._dismissed:  # nobody waits for the answer
                raise CancelledError
            process.start()
            self._processes.append(process)
        return ours


class _InWorker(Exception):
    """Shows where in the process an error was raised."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Keep Ctrl-C, which a terminal sends to every process of a command, from those started here.

    They are stopped by their parent; each would else end in a traceback of its own.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # the first process starts it, and that unblocks signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(start: Callable[[], Callable[[Any], Any]], pipe: Connection[Any, Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for systems that cannot block it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        do = start()
    except Exception as error:  # told by the first task: from here, all would be lost but a log
        do = partial(_raise, error)
    with suppress(EOFError):  # no task will come
        while True:
            _send(pipe, _answer(do, pipe.recv()))


def _answer(do: Callable[[Any], Any], task: Any) -> tuple[Any, Exception | None, str]:
    try:
        return do(task), None, ""
    except Exception as error:
        return None, _portable(error), traceback.format_exc()


def _portable(error: Exception) -> Exception:
    """The error, or what it says where it would not arrive in another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return GuardrailError(f"{type(error).__name__}: {error}")
    return error


def _send(pipe: Connection[Any, Any], answer: tuple[Any, Exception | None, str]) -> None:
    try:
        pipe.send(answer)
    except OSError:  # nobody is there
        raise
    except Exception as error:  # while it was pickled, so that nothing was sent yet
        told = GuardrailError(
            "a task must return what can be pickled, which this result cannot: "
            f"{type(error).__name__}: {error}"
        )
        pipe.send((None, told, traceback.format_exc()))


def _raise(error: Exception, task: Any) -> NoReturn:
    raise error


def _end_with_parent() -> None:
    """End this process once its parent is gone: killed, it told nobody, and no task will come."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
