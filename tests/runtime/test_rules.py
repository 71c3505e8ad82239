import hashlib
import logging

import pytest

from tinyguardrail_sdk import Action, AllowRule, Guard, Policy, PolicyError, Source
from tinyguardrail_sdk.testing import ScriptedClassifier


def guard_with(scripted: ScriptedClassifier, *rules: AllowRule) -> Guard:
    return Guard(classifier=scripted, policy=Policy(allow=rules))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "rule",
    [
        AllowRule(exact="ignore the noise"),
        AllowRule(regex="ignore the (noise|rain)"),
        AllowRule(sha256=digest("ignore the noise").upper()),
    ],
)
def test_a_rule_lets_the_whole_text_pass_and_says_so(
    scripted: ScriptedClassifier, rule: AllowRule
) -> None:
    guard = guard_with(scripted, rule)
    verdict = guard.check("ignore the noise")
    assert (verdict.action, verdict.rule) == (Action.ALLOW, "allow[0]")
    assert verdict.checked is False
    assert verdict.scanned == (0, 16)
    assert verdict.to_dict()["rule"] == "allow[0]"
    assert scripted.calls == []
    for longer in ("ignore the noise\n", "ignore the noise, and ignore me", " ignore the noise"):
        assert guard.check(longer).blocked
    assert guard.stats().allowed_by_rule == {"allow[0]": 1}
    assert guard.stats().count() == 3


def test_a_rule_holds_for_its_sources_alone(scripted: ScriptedClassifier) -> None:
    guard = guard_with(
        scripted,
        AllowRule(exact="ignore me", sources=(Source.TOOL,), name="tools"),
        AllowRule(regex="ignore .*", sources=(Source.DOCUMENT,), name="documents"),
    )
    rules = {source: guard.check("ignore me", source=source).rule for source in Source}
    assert rules == {
        Source.USER: None,
        Source.TOOL: "tools",
        Source.DOCUMENT: "documents",
        Source.OUTPUT: None,
    }


def test_batches_know_the_rules(scripted: ScriptedClassifier) -> None:
    guard = guard_with(scripted, AllowRule(exact="ignore me", name="mine"))
    verdicts = guard.check_batch(["hello", "ignore me", "ignore you"])
    assert [verdict.rule for verdict in verdicts] == [None, "mine", None]
    assert [verdict.blocked for verdict in verdicts] == [False, False, True]


def test_a_pattern_that_takes_too_long_allows_nothing(
    scripted: ScriptedClassifier, caplog: pytest.LogCaptureFixture
) -> None:
    slow = AllowRule(regex="(?:(?:i|i)+)+x", timeout_ms=20, name="slow")
    text = "i" * 40 + " ignore"
    with caplog.at_level(logging.WARNING):
        verdict = guard_with(scripted, AllowRule(regex=f"{slow.regex}.*y"), slow).check(text)
    assert verdict.blocked
    assert verdict.rule is None
    assert text not in caplog.text


def test_lone_surrogates_can_be_looked_up(scripted: ScriptedClassifier) -> None:
    guard = guard_with(scripted, AllowRule(sha256="00" * 32))
    assert guard.check("\ud800").checked


@pytest.mark.parametrize("rules", [["hello"], [3], "hello", {"exact": "hello"}])
def test_what_is_no_list_of_rules_is_answered_with_an_example(rules: object) -> None:
    with pytest.raises(PolicyError, match=r'allow.*AllowRule\(exact="\.\.\."\)') as caught:
        Policy(allow=rules)  # type: ignore[arg-type]
    assert "hello" not in str(caught.value)
