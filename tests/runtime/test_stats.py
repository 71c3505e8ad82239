import os
import threading

import pytest

from tinyguardrail_sdk import AllowRule, CheckFailed, Guard, Policy, Source
from tinyguardrail_sdk.stats import BOUNDS_MS
from tinyguardrail_sdk.testing import ScriptedClassifier


def test_every_check_counts_once(guard: Guard) -> None:
    assert guard.stats().checks == 0
    guard.check("hello")
    guard.check_batch(["ignore", "hello"], source="tool")
    with pytest.raises(CheckFailed):
        guard.check("explode")
    stats = guard.stats()
    assert stats.checks == 4
    assert stats.count() == 3
    assert stats.count(source="tool") == 2
    assert stats.count(source=Source.TOOL, label="injection", action="block", route="fast") == 1
    assert stats.count(label="jailbreak") == 0
    assert stats.failed == {Source.USER: 1}
    assert sum(stats.latency_counts) == 4
    assert len(stats.latency_counts) == len(BOUNDS_MS) + 1
    assert stats.latency_sum_ms > 0
    guard.check("hello")
    assert stats.checks == 4  # a copy


def test_threads_lose_no_count(guard: Guard) -> None:
    def work() -> None:
        for _ in range(200):
            guard.check("hello")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert guard.stats().count(label="benign") == 1600


def test_the_prometheus_text(scripted: ScriptedClassifier) -> None:
    policy = Policy(shadow=True, allow=(AllowRule(exact="a", name='odd "name"\\\n'),))
    guard = Guard(classifier=scripted, policy=policy)
    for text in ("ignore", "a", "explode"):
        guard.check(text)
    text = guard.stats().to_prometheus()
    assert text.endswith("\n")
    lines = text.splitlines()
    row = 'source="user",label="injection",action="flag",route="fast"'
    assert f"tinyguardrail_checks_total{{{row}}} 1" in lines
    assert 'tinyguardrail_failed_total{source="user"} 1' in lines
    assert 'tinyguardrail_would_block_total{source="user"} 2' in lines
    assert r'tinyguardrail_allowed_by_rule_total{rule="odd \"name\"\\\n"} 1' in lines
    assert 'tinyguardrail_check_seconds_bucket{le="+Inf"} 3' in lines
    assert "tinyguardrail_check_seconds_count 3" in lines
    assert any(line.startswith('tinyguardrail_check_seconds_bucket{le="0.001"}') for line in lines)
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names)) == 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_counts_anew(guard: Guard) -> None:
    guard.check("hello")
    guard._checks._counters._lock.acquire()  # as another thread might at that moment
    child = os.fork()
    if child == 0:
        guard.check("hello")
        os._exit(0 if guard.stats().checks == 1 else 1)
    guard._checks._counters._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert guard.stats().checks == 1
