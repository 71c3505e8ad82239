"""Work done in processes, its results in the order of the tasks: they depend on the tasks only."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, NoReturn, TypeVar

from tinyguardrail_sdk.errors import GuardrailError, InputError

Task = TypeVar("Task")
Result = TypeVar("Result")

# Tasks under way for each process: the more, the longer a slow one may take unnoticed, and the more
# results wait in memory.
_UNDER_WAY = 4


def in_order(
    start: Callable[[], Callable[[Task], Result]], tasks: Iterable[Task], workers: int
) -> Generator[Result, None, None]:
    """Do tasks and yield their results in order.

    Args:
        start: Makes the function that does a task; called once in every process, so both it and
            the tasks must be picklable with several.
        tasks: Drawn only a little ahead of the results: they may be endless.
        workers: Processes; 1 does the work in this one.

    Raises:
        InputError: There are no workers.
        GuardrailError: A process was ended from outside.
        Exception: What `start` or a task raised.
    """
    if workers < 1:
        raise InputError(f"workers={workers}: give 1 or more processes")
    if workers == 1:
        yield from map(start(), tasks)
        return
    # Spawned, not forked: PyTorch's threads would not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start, (start,)) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(_do, task))
                if len(waiting) > _UNDER_WAY * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise GuardrailError(
                "a worker process was ended from outside, for want of memory perhaps: run this "
                "again with fewer workers"
            ) from error
        finally:  # whoever has enough does not wait for what was ahead
            pool.shutdown(cancel_futures=True)


_function: Callable[[Any], Any]


def _start(start: Callable[[], Callable[[Any], Any]]) -> None:
    global _function
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _function = start()
    except Exception as error:  # told by the first task: from here, all would be lost but a log
        _function = partial(_raise, error)


def _do(task: Any) -> Any:
    return _function(task)


def _raise(error: Exception, task: Any) -> NoReturn:
    raise error


def _end_with_parent() -> None:
    """End this process once its parent is gone: killed, it told nobody, and no task will come."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
