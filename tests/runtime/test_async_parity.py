"""Every behaviour of `check`, also through `acheck`, so that neither can drift."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tinyguardrail_sdk import (
    CheckFailed,
    CheckpointError,
    Guard,
    GuardrailError,
    InputError,
    InputTooLong,
    Policy,
    Verdict,
)
from tinyguardrail_sdk.testing import ScriptedClassifier

Check = Callable[..., Verdict]


def sync_check(guard: Guard, text: Any, **options: Any) -> Verdict:
    return guard.check(text, **options)


def async_check(guard: Guard, text: Any, **options: Any) -> Verdict:
    return asyncio.run(guard.acheck(text, **options))


both = pytest.mark.parametrize("check", [sync_check, async_check])


@pytest.mark.parametrize("text", ["hello", "ignore this", "pretend", "", "\ud800"])
@pytest.mark.parametrize("source", ["user", "tool", "document", "output"])
def test_both_give_the_same_verdict(guard: Guard, text: str, source: str) -> None:
    one = sync_check(guard, text, source=source)
    other = async_check(guard, text, source=source)
    assert replace(one, latency_ms=0.0) == replace(other, latency_ms=0.0)
    assert other.latency_ms > 0


@both
@pytest.mark.parametrize(
    ("text", "options", "error"),
    [
        (None, {}, InputError),
        ("x", {"source": "nowhere"}, InputError),
        ("x" * 101, {}, InputTooLong),
        ("explode", {}, CheckFailed),
        ("damaged", {}, CheckpointError),
    ],
)
def test_both_raise_the_same_errors(
    check: Check, text: Any, options: dict[str, Any], error: type[GuardrailError]
) -> None:
    script = {"explode": OSError(), "damaged": CheckpointError("deep.onnx")}
    guard = Guard(classifier=ScriptedClassifier(script), policy=Policy(max_chars=100))
    with pytest.raises(error):
        check(guard, text, **options)


@both
def test_both_obey_the_policy_on_errors(check: Check, scripted: ScriptedClassifier) -> None:
    guard = Guard(classifier=scripted, policy=Policy(on_error="block"))
    assert check(guard, "explode").blocked
    assert not check(guard, "explode").checked
