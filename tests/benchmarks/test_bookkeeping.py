from benchmarks import bookkeeping
from tinyguardrail_sdk.testing import ScriptedClassifier


def test_what_the_guard_remembers_is_asked_nothing_again() -> None:
    script = ScriptedClassifier()
    check = bookkeeping.again(script, 3)
    assert len(script.calls) > 3
    script.calls.clear()
    check()
    assert script.calls == []
