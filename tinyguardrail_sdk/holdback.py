"""The bookkeeping of a stream that is held back: what came, what may go, what is to be read next.

No check happens here. The text of a stream lies in three parts, of which only the middle moves:

    let go and forgotten | let go, kept as context | held
                         |<------- the window ------------>|

Text is let go once it was in a cleared window *and* `hold` characters after it were, too: what may
be the beginning of an attack waits for its end.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyguardrail_sdk.errors import InputError

# So that a window does not begin in the middle of a word, unless it is longer.
_LONGEST_WORD = 40


@dataclass(frozen=True, slots=True)
class Delay:
    """How long a stream is held back, in characters.

    Fewer than `hold + every` characters are held after any delta. Reading costs at most
    `(context + hold + every) / every` times the stream, however long it gets.

    Attributes:
        hold: Cleared characters that still wait for what follows them. An attack up to this long
            is never let go in part.
        every: Further characters that come together before a check.
        context: Characters already let go that are read again, so that a longer attack is seen
            whole before its end is let go.

    Raises:
        InputError: A number is no integer, or too small.
    """

    hold: int = 240
    every: int = 160
    context: int = 400

    def __post_init__(self) -> None:
        for name, least in (("hold", 0), ("every", 1), ("context", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(f"{name} must be an integer from {least} on")


class HoldBack:
    """One text that comes in deltas.

    Attributes:
        received: Characters that came.
        released: Characters that were let go.
        unread: Characters that no window has held yet.
    """

    def __init__(self, delay: Delay) -> None:
        self.delay = delay
        self.received = self.released = self.unread = 0
        self._text = ""

    @property
    def held(self) -> int:
        """Characters that came and were not let go."""
        return self.received - self.released

    @property
    def window(self) -> str:
        """What is to be read: some context, and all that is held."""
        return self._text

    @property
    def start(self) -> int:
        """Where the window begins, in characters of the stream."""
        return self.received - len(self._text)

    def add(self, delta: str) -> bool:
        """Take a delta; whether the window is to be read now."""
        self._text += delta
        self.received += len(delta)
        self.unread += len(delta)
        return self.unread > 0 and self.held >= self.delay.hold + self.delay.every

    def release(self, keep: int = 0) -> str:
        """Let go of what is held but the last `keep` characters; the window was cleared."""
        self.unread = 0
        begin = len(self._text) - self.held
        end = max(begin, len(self._text) - keep)
        let_go = self._text[begin:end]
        self.released += len(let_go)
        self._forget(end)
        return let_go

    def drop(self) -> None:
        """Throw away what is held; it is never let go."""
        self._text = ""
        self.released = self.received
        self.unread = 0

    def _forget(self, end: int) -> None:
        cut = max(0, end - self.delay.context)
        if cut:
            blank = self._text.find(" ", cut, min(end, cut + _LONGEST_WORD))
            cut = cut if blank < 0 else blank + 1
        self._text = self._text[cut:]
