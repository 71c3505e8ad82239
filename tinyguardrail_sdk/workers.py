"""The threads in which asynchronous checks run: few, a guard's own, with a bounded queue."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from tinyguardrail_sdk.errors import QueueFull
from tinyguardrail_sdk.forking import renew_after_fork

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_T = TypeVar("_T")


class Workers:
    """A pool that starts with its first call, begins anew in a forked child, and can be full.

    Args:
        threads: Calls that run at the same time.
        queue: Calls that may wait besides.
    """

    def __init__(self, threads: int, queue: int) -> None:
        self.threads = threads
        self.queue = queue
        self.renew()
        renew_after_fork(self)

    def __reduce__(self) -> tuple[type[Workers], tuple[int, int]]:
        return type(self), (self.threads, self.queue)

    async def run(self, call: Callable[[], _T]) -> _T:
        """Run a call in a thread, in the caller's context; cancelled, it leaves the queue.

        Raises:
            QueueFull: All threads are busy and the queue is full; the call did not run.
        """
        import asyncio  # 50 ms to import, which synchronous callers need not pay

        pool = self._enter()
        context = contextvars.copy_context()
        try:
            future = pool.submit(context.run, call)
        except BaseException:
            self._leave()
            raise
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def renew(self) -> None:
        """Be without threads and waiting calls."""
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._inside = 0

    def _enter(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._inside >= self.threads + self.queue:
                raise QueueFull(
                    f"busy: {self._inside} checks run or wait, and the text was not checked; try "
                    "again later, or raise workers= or queue= of the Guard"
                )
            if self._pool is None:
                from concurrent.futures import ThreadPoolExecutor

                self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="tinyguardrail")
            self._inside += 1
            return self._pool

    def _leave(self, _: Any = None) -> None:
        with self._lock:
            self._inside -= 1
