from benchmarks import bookkeeping
from tinyguardrail_sdk.testing import ScriptedClassifier


def test_what_the_guard_remembers_is_asked_nothing_again() -> None:
    script = ScriptedClassifier()
    turns = bookkeeping.TURNS[-1]
    check = bookkeeping.again(script, turns)
    assert len(script.calls) > turns
    script.calls.clear()
    check()
    assert script.calls == []
