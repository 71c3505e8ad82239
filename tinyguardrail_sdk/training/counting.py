"""How far a command is, for people: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import TaskID

from tinyguardrail_sdk.training.progress import PartsProgress, Progress

_SECONDS = 30.0  # from one line of a log to the next; quick works write none


@contextmanager
def counting(what: str) -> Iterator[Progress]:
    """Show how far a work is; gives the function that is told."""
    with counting_parts() as advance:
        yield lambda done, total: advance(what, done, total)


@contextmanager
def counting_parts() -> Iterator[PartsProgress]:
    """As `counting`, a bar for each part."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Log(console).advance
        return
    with Bars(console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(part: str, done: int, total: int) -> None:
            if part not in tasks:
                tasks[part] = bars.add_task(part)
            bars.update(tasks[part], completed=done, total=total)

        yield advance


class _Log:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = time.monotonic()

    def advance(self, part: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told < _SECONDS:
            return
        self._told = now
        of_all = f" of {total:,} ({done / total:.0%})" if total else ""  # not all homes tell a size
        self._console.print(
            f"{part}: {done:,}{of_all}", markup=False, highlight=False, soft_wrap=True
        )
