"""What streams, calls and decorated functions need of a `Guard`, and what they answer with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from tinyguardrail_sdk.errors import Blocked, InputError
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.messages import MessageVerdict
from tinyguardrail_sdk.verdict import Verdict


class Checker(Protocol):
    """The methods of `Guard` that the rest of the package stands on."""

    def check(self, text: str, *, source: Source | str = ...) -> Verdict:
        """Judge one text."""
        ...

    async def acheck(self, text: str, *, source: Source | str = ...) -> Verdict:
        """Judge one text, off the event loop."""
        ...

    def check_messages(self, messages: Iterable[Any]) -> list[MessageVerdict]:
        """Judge the messages of a request."""
        ...

    async def acheck_messages(self, messages: Iterable[Any]) -> list[MessageVerdict]:
        """Judge the messages of a request, off the event loop."""
        ...


class _Raise:
    """The type of `RAISE`, so that every other value can be an answer, None too."""

    def __repr__(self) -> str:
        return "RAISE"


RAISE: Final = _Raise()

_T = TypeVar("_T")
OnBlock: TypeAlias = _T | Callable[[Verdict], _T] | _Raise
"""What to answer for blocked text: a value, a function of the verdict, or `RAISE` to raise it."""


def first_stop(verdicts: Iterable[MessageVerdict]) -> Verdict | None:
    """Return the first verdict for which the request must not go on, if any.

    One to be redacted stops it, too: nobody here can put the redacted text into the request.
    """
    return next((each.verdict for each in verdicts if each.verdict.blocked), None)


def answer_to(verdict: Verdict, on_block: Any) -> Any:
    """Return what stands in for a blocked text.

    Raises:
        Blocked: `on_block` is `RAISE`.
    """
    if on_block is RAISE:
        raise Blocked(verdict)
    return on_block(verdict) if callable(on_block) else on_block


def as_source(source: Source | str) -> Source:
    """Return a source by its name.

    Raises:
        InputError: There is no such source.
    """
    try:
        return Source(source)
    except ValueError:
        raise InputError(f"source must be one of {', '.join(Source)}") from None
