"""A progress bar for people: one line on a terminal's standard error, and nothing elsewhere."""

from __future__ import annotations

import time
from typing import TextIO

_WIDTH = 30
_SILENT_SECONDS = 0.5  # quick jobs show no bar
_REDRAW_SECONDS = 0.1
_CLEAR = "\r\x1b[K"


class ProgressBar:
    """Draws how far a job is.

    Args:
        stream: Where to draw; nothing is ever written unless it is a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream if stream.isatty() else None
        self._began = time.monotonic()
        self._due = self._began + _SILENT_SECONDS
        self._drawn = False

    def update(self, done: int, total: int) -> None:
        """Say how much is done; a total of 0 means that it is not known."""
        now = time.monotonic()
        if self._stream is None or now < self._due:
            return
        self._due = now + _REDRAW_SECONDS
        self._drawn = True
        self._stream.write(_CLEAR + _bar(done, total, now - self._began))
        self._stream.flush()

    def clear(self) -> None:
        """Take the bar away, so that other lines can be written."""
        if self._stream is not None and self._drawn:
            self._stream.write(_CLEAR)
            self._stream.flush()
            self._drawn = False


def _bar(done: int, total: int, seconds: float) -> str:
    if total <= 0:
        return f"working, {_clock(seconds)}"
    share = min(1.0, done / total)
    filled = round(share * _WIDTH)
    left = f", {_clock(seconds / share - seconds)} left" if share else ""
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {share:4.0%}{left}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
