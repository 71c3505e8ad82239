"""Everything this package raises on purpose.

    GuardrailError
    ├── InputError (ValueError)        the caller's text or argument cannot be checked
    │   └── InputTooLong               the text is longer than the policy's explicit cap
    ├── PolicyError (ValueError)       a policy that contradicts itself or the checkpoint
    ├── CheckpointError (RuntimeError) a checkpoint that is missing, damaged or too new
    ├── CheckFailed (RuntimeError)     the check itself broke: never to be read as "allowed"
    │   └── QueueFull                  too many asynchronous checks wait already
    └── Blocked                        raised by `Verdict.raise_if_blocked`; carries the verdict

Messages name the remedy and never contain the text that was checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinyguardrail_sdk.verdict import Verdict


class GuardrailError(Exception):
    """Base of every error of this package."""


class InputError(GuardrailError, ValueError):
    """The input cannot be checked; the message says what to pass instead."""


class InputTooLong(InputError):
    """The text exceeds `Policy.max_chars`; raise the cap or split the text."""


class PolicyError(GuardrailError, ValueError):
    """The policy contradicts itself or asks for what the checkpoint lacks."""


class CheckpointError(GuardrailError, RuntimeError):
    """The checkpoint is missing, damaged or newer than this package; the message names the file."""


class CheckFailed(GuardrailError, RuntimeError):
    """The check could not be completed. The text was *not* cleared."""


class QueueFull(CheckFailed):
    """More asynchronous checks wait than `Guard(queue=...)` allows. The text was *not* cleared."""


class Blocked(GuardrailError):
    """A text was blocked.

    Attributes:
        verdict: The verdict that led here.
    """

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"blocked: {verdict.label} with risk {verdict.risk:.3f}")
        self.verdict = verdict

    def __reduce__(self) -> tuple[type[Blocked], tuple[Verdict]]:
        # The default would hand the message to the constructor; workers must be able to raise this.
        return type(self), (self.verdict,)
