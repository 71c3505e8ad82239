"""Work done in processes, its results in the order of the tasks: they depend on the tasks only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.data.crew import Crew

Task = TypeVar("Task")
Result = TypeVar("Result")

# Tasks under way for each process: the more, the longer a slow one may take unnoticed, and the more
# results wait in memory.
_UNDER_WAY = 4


def in_order(
    start: Callable[[], Callable[[Task], Result]], tasks: Iterable[Task], workers: int
) -> Generator[Result, None, None]:
    """Do tasks and yield their results in order.

    However it ends (no more tasks, an error, Ctrl-C, or whoever has enough closes it), no process
    is left, and none is waited for until it has done its task.

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
    crew: Crew[Task, Result] = Crew(start)
    threads = ThreadPoolExecutor(workers)
    waiting: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            waiting.append(threads.submit(crew.do, task))
            if len(waiting) > _UNDER_WAY * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        crew.dismiss()
        threads.shutdown()
