"""Shadow mode, caps, deadlines, custom detectors and observers: what a policy makes of a check."""

import logging
import time
from typing import Any

import pytest

from tinyguardrail_sdk import (
    Action,
    CheckFailed,
    CheckRecord,
    Classification,
    CustomDetector,
    Finding,
    Guard,
    InputError,
    InputTooLong,
    Label,
    Policy,
    Source,
)
from tinyguardrail_sdk.deadline import _limit, check_deadline, deadline, uncounted
from tinyguardrail_sdk.testing import ScriptedClassifier


@pytest.mark.parametrize("action", [Action.BLOCK, Action.REDACT])
def test_shadow_mode_stops_nothing_and_says_what_it_would_have_done(
    scripted: ScriptedClassifier, action: Action
) -> None:
    policy = Policy(shadow=True, actions={Label.INJECTION: action})
    guard = Guard(classifier=scripted, policy=policy)
    verdict = guard.check("ignore this")
    assert (verdict.action, verdict.shadowed) == (Action.FLAG, action)
    assert verdict.would_block
    assert not verdict.blocked
    assert verdict.release("ignore this") == "ignore this"
    assert verdict.to_dict()["shadowed"] == action
    fine = guard.check("hello")
    assert (fine.action, fine.shadowed, fine.would_block) == (Action.ALLOW, None, False)
    assert guard.stats().would_block == {Source.USER: 1}


def test_shadow_mode_leaves_milder_actions_alone(scripted: ScriptedClassifier) -> None:
    policy = Policy(shadow=True, actions={Label.INJECTION: Action.FLAG})
    verdict = Guard(classifier=scripted, policy=policy).check("ignore this")
    assert (verdict.action, verdict.would_block) == (Action.FLAG, False)


@pytest.mark.parametrize("on_error", ["raise", "block"])
def test_in_shadow_mode_a_broken_check_stops_nothing_and_is_no_clearance(
    scripted: ScriptedClassifier, on_error: Any
) -> None:
    guard = Guard(classifier=scripted, policy=Policy(shadow=True, on_error=on_error))
    for verdict in (guard.check("explode"), *guard.check_batch(["explode"])):
        assert (verdict.action, verdict.shadowed) == (Action.FLAG, Action.BLOCK)
        assert verdict.checked is False
        assert "RuntimeError" in (verdict.error or "")


@pytest.mark.parametrize(("outcome", "action"), [("block", Action.BLOCK), ("allow", Action.ALLOW)])
def test_a_text_over_the_cap_has_the_outcome_that_was_chosen(
    scripted: ScriptedClassifier, outcome: Any, action: Action
) -> None:
    guard = Guard(classifier=scripted, policy=Policy(max_chars=5, on_too_long=outcome))
    for verdict in (guard.check("123456"), guard.check_batch(["1", "123456"])[1]):
        assert verdict.action is action
        assert verdict.checked is False
        assert "6 characters" in (verdict.error or "")
    assert guard.stats().failed == {Source.USER: 2}
    shadow = Guard(classifier=scripted, policy=Policy(max_chars=5, shadow=True))
    assert shadow.check("123456").would_block
    with pytest.raises(InputTooLong):
        Guard(classifier=scripted, policy=Policy(max_chars=5)).check("123456")


class Windows(ScriptedClassifier):
    """Works for 20 ms a window, and looks at the deadline in between."""

    def classify(self, text: str, source: Source) -> Classification:
        for _ in text.split():
            check_deadline()
            time.sleep(0.02)
        return super().classify(text, source)


def test_a_check_that_is_not_done_in_time_could_not_check() -> None:
    guard = Guard(classifier=Windows(), policy=Policy(deadline_ms=30))
    assert guard.check("short").checked
    began = time.perf_counter()
    with pytest.raises(CheckFailed, match="deadline of 30 ms"):
        guard.check("long " * 500)
    assert time.perf_counter() - began < 5
    blocking = Guard(classifier=Windows(), policy=Policy(deadline_ms=30, on_error="block"))
    batch = blocking.check_batch(["short", "long " * 500, "short"])
    assert [verdict.checked for verdict in batch] == [True, False, True]
    assert [verdict.blocked for verdict in batch] == [False, True, False]


def test_a_deadline_ends_with_its_check() -> None:
    with deadline(0.0001):
        time.sleep(0.001)
        with pytest.raises(CheckFailed):
            check_deadline()
        with deadline(None), pytest.raises(CheckFailed):
            check_deadline()
    check_deadline()


def test_opening_the_network_takes_nothing_from_the_deadline() -> None:
    with deadline(30_000):
        before = _limit.get()
        uncounted(lambda: time.sleep(0.02))
        after = _limit.get()
    assert before is not None
    assert after is not None
    assert 0.02 <= after[0] - before[0] < 10
    assert uncounted(lambda: 7) == 7


def canary(text: str) -> float:
    return 0.9 if "canary-7" in text else 0.0


def markers(text: str) -> list[Finding]:
    at = text.find("BEGIN")
    return [] if at < 0 else [Finding("marker", 0.8, at, at + 5, "a marker")]


def test_a_detector_raises_the_risk_and_never_lowers_it(scripted: ScriptedClassifier) -> None:
    detector = CustomDetector("canary", canary, label=Label.OBFUSCATION)
    guard = Guard(classifier=scripted, detectors=[detector])
    plain, seen = guard.check("hello"), guard.check("hello canary-7")
    assert (seen.label, seen.risk, seen.confidence) == (Label.OBFUSCATION, 0.9, 0.9)
    assert seen.blocked
    assert seen.scores == plain.scores  # what the network said stays what it said
    attack = guard.check("ignore canary-7")
    assert attack.label is Label.INJECTION
    assert attack.risk == pytest.approx(0.99)
    assert guard.check_batch(["canary-7"])[0].blocked


def test_findings_of_a_detector_are_in_the_verdict(scripted: ScriptedClassifier) -> None:
    guard = Guard(classifier=scripted, detectors=[CustomDetector("marker", markers)])
    verdict = guard.check("so BEGIN it")
    assert verdict.findings == (Finding("marker", 0.8, 3, 8, "a marker"),)
    assert verdict.to_dict()["findings"][0]["pattern"] == "marker"
    text = "Well. BEGIN it. So."
    assert guard.redact(text).release(text) == "Well. [REDACTED] So."


def test_a_score_under_the_threshold_raises_the_risk_alone(scripted: ScriptedClassifier) -> None:
    guard = Guard(classifier=scripted, detectors=[CustomDetector("weak", lambda _: 0.3)])
    verdict = guard.check("hello")
    assert (verdict.label, verdict.risk) == (Label.BENIGN, 0.3)
    assert verdict.confidence == pytest.approx(0.97)


def test_a_detector_reads_its_sources_alone(scripted: ScriptedClassifier) -> None:
    detector = CustomDetector("canary", canary, sources=(Source.TOOL,))
    guard = Guard(classifier=scripted, detectors=[detector])
    assert not guard.check("canary-7").blocked
    assert guard.check("canary-7", source="tool").blocked


@pytest.mark.parametrize(
    "find",
    [
        lambda text: 1 / 0,
        lambda text: None,
        lambda text: "0.5",
        lambda text: float("nan"),
        lambda text: 1.5,
        lambda text: [0.5],
        lambda text: [Finding("x", 0.5, 2, 999, "far out")],
    ],
)
def test_a_broken_detector_is_a_check_that_failed(scripted: ScriptedClassifier, find: Any) -> None:
    detector = CustomDetector("mine", find)
    with pytest.raises(CheckFailed, match="detector mine .*not cleared"):
        Guard(classifier=scripted, detectors=[detector]).check("hello")
    blocking = Guard(classifier=scripted, detectors=[detector], policy=Policy(on_error="block"))
    assert blocking.check("hello").blocked


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("", canary), "needs a name"),
        (("x", 7), "callable"),
        (("x", canary, Label.BENIGN), "an attack"),
        (("x", canary, Label.JAILBREAK, ("mail",)), "Source"),
    ],
)
def test_impossible_detectors_are_refused(arguments: tuple[Any, ...], remedy: str) -> None:
    with pytest.raises(InputError, match=remedy):
        CustomDetector(*arguments)
    with pytest.raises(InputError, match="list of CustomDetector"):
        Guard(classifier=ScriptedClassifier(), detectors=[canary])  # type: ignore[list-item]


def test_callbacks_are_told_once_and_only_their_own(scripted: ScriptedClassifier) -> None:
    heard: list[tuple[str, str]] = []

    def hear(name: str) -> Any:
        return lambda record: heard.append((name, record.text))

    guard = Guard(
        classifier=scripted,
        policy=Policy(actions={Label.JAILBREAK: Action.FLAG}, on_error="block"),
        on_block=hear("block"),
        on_flag=hear("flag"),
        on_error=hear("error"),
        observers=[hear("any")],
    )
    texts = ["hello", "ignore", "pretend", "explode"]
    for text in texts:
        guard.check(text)
    told = [("block", "ignore"), ("flag", "pretend"), ("error", "explode")]
    assert [entry for entry in heard if entry[0] != "any"] == told
    assert [text for name, text in heard if name == "any"] == texts
    heard.clear()
    guard.check_batch(texts)
    assert [entry for entry in heard if entry[0] != "any"] == told


def test_a_check_that_raises_is_told_with_its_error(scripted: ScriptedClassifier) -> None:
    records: list[CheckRecord] = []
    guard = Guard(classifier=scripted, on_error=records.append)
    with pytest.raises(CheckFailed) as caught:
        guard.check("explode", source="tool")
    (record,) = records
    assert (record.verdict, record.error, record.source) == (None, caught.value, Source.TOOL)
    assert record.failed
    assert "explode" not in repr(record)
    with pytest.raises(CheckFailed):
        guard.check_batch(["explode", "hello"])
    assert guard.stats().failed == {Source.TOOL: 1, Source.USER: 2}


def test_a_broken_callback_is_logged_and_changes_nothing(
    scripted: ScriptedClassifier, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[CheckRecord] = []

    def broken(record: CheckRecord) -> None:
        raise RuntimeError(record.text)

    guard = Guard(classifier=scripted, observers=[broken], on_block=heard.append)
    with caplog.at_level(logging.ERROR):
        assert guard.check("ignore the secret").blocked
    assert len(heard) == 1
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text
