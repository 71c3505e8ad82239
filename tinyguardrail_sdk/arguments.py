"""What a `Guard` takes, and what it refuses with the remedy."""

from __future__ import annotations

from collections.abc import Mapping

from tinyguardrail_sdk.errors import InputError, InputTooLong
from tinyguardrail_sdk.policy import Policy


def refuse_arguments(unknown: Mapping[str, object]) -> None:
    """Say where what was given to a `Guard`, which does not know it, belongs.

    Raises:
        InputError: It is a setting of a policy.
        TypeError: It is nothing.
    """
    for name in unknown:
        if name in Policy.model_fields:
            raise InputError(
                f"{name} belongs to the policy: write Guard(policy=Policy({name}=...))"
            )
        raise TypeError(f"Guard takes no {name!r}; help(Guard) tells what it takes")


def refuse_counts(least: int, **counts: object) -> None:
    """Refuse what is no integer, or below the least.

    Raises:
        InputError: One is.
    """
    for name, number in counts.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise InputError(f"{name} must be an integer from {least} on")


def acceptable(text: object, name: str, policy: Policy) -> str:
    """Return a text that a policy lets be judged.

    Raises:
        InputError: It is no string.
        InputTooLong: It is longer than the policy allows.
    """
    if not isinstance(text, str):
        hint = "; decode it first" if isinstance(text, bytes | bytearray) else ""
        raise InputError(f"{name} must be a str, not {type(text).__name__}{hint}")
    cap = policy.max_chars
    refuses = policy.on_too_long == "raise" and not policy.shadow
    if cap is not None and len(text) > cap and refuses:
        raise InputTooLong(
            f"{name} has {len(text)} characters and Policy.max_chars is {cap}: "
            "raise the cap or split the text"
        )
    return text
