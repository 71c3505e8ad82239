"""How a guard behaves in its host: threads, event loops, forked and spawned processes."""

from __future__ import annotations

import asyncio
import contextvars
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk import (
    AllowRule,
    CheckRecord,
    Guard,
    InputError,
    Label,
    Mode,
    Policy,
    QueueFull,
    Source,
    Verdict,
)
from tinyguardrail_sdk.classifier import Classification, EmbeddedClassifier
from tinyguardrail_sdk.testing import ScriptedClassifier

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


class Gate(ScriptedClassifier):
    """Answers only once it is open."""

    def __init__(self) -> None:
        super().__init__({"ignore": Label.INJECTION})
        self.open = threading.Event()
        self.entered = threading.Semaphore(0)
        self.inside = self.most = 0

    def classify(self, text: str, source: Source) -> Classification:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.release()
        assert self.open.wait(20)
        self.inside -= 1
        return super().classify(text, source)


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.open.set()


async def started(*calls: Any) -> list[asyncio.Future[Any]]:
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0)
    return tasks


def test_checks_of_one_loop_use_a_bounded_number_of_threads(gate: Gate) -> None:
    guard = Guard(classifier=gate, workers=2)

    async def main() -> list[Verdict]:
        tasks = await started(*(guard.acheck(f"ignore {i}") for i in range(20)))
        gate.open.set()
        return list(await asyncio.gather(*tasks))

    assert all(verdict.blocked for verdict in asyncio.run(main()))
    assert gate.most <= 2


def test_a_full_queue_has_a_defined_answer(gate: Gate) -> None:
    async def main() -> None:
        guard = Guard(classifier=gate, workers=1, queue=2)
        tasks = await started(*(guard.acheck("hello") for _ in range(3)))
        with pytest.raises(QueueFull, match=r"busy: 3 checks.*workers= or queue="):
            await guard.acheck("hello")
        with pytest.raises(QueueFull):
            await guard.acheck_messages([{"role": "user", "content": "hello"}])
        with pytest.raises(InputError):
            await guard.acheck(7)  # type: ignore[arg-type]
        assert guard.stats().failed == {Source.USER: 2}
        gate.open.set()
        assert all(verdict.checked for verdict in await asyncio.gather(*tasks))
        assert (await guard.acheck("hello")).checked

    asyncio.run(main())


@pytest.mark.parametrize(
    ("policy", "blocked"),
    [
        (Policy(on_error="block"), True),
        (Policy(on_error="allow"), False),
        (Policy(on_error="allow", source_on_error={Source.USER: "block"}), True),
        (Policy(shadow=True), False),
    ],
)
def test_a_full_queue_is_decided_by_the_policy(gate: Gate, policy: Policy, blocked: bool) -> None:
    failed: list[CheckRecord] = []

    async def main() -> None:
        guard = Guard(classifier=gate, policy=policy, workers=1, queue=0, on_error=failed.append)
        (running,) = await started(guard.acheck("hello"))
        verdicts = [await guard.acheck("a")]
        messages = [{"role": "user", "content": text} for text in ("b", "c")]
        verdicts += [found.verdict for found in await guard.acheck_messages(messages)]
        for verdict in verdicts:
            assert (verdict.blocked, verdict.checked) == (blocked, False)
            assert "busy" in str(verdict.error)
            assert verdict.would_block == policy.shadow
        assert [record.text for record in failed] == ["a", "b", "c"]
        gate.open.set()
        assert (await running).checked

    asyncio.run(main())


def test_a_cancelled_check_makes_room(gate: Gate) -> None:
    async def main() -> None:
        guard = Guard(classifier=gate, workers=1, queue=1)
        running, waiting = await started(guard.acheck("a"), guard.acheck("b"))
        gate.entered.acquire()
        waiting.cancel()
        await asyncio.wait([waiting])
        (third,) = await started(guard.acheck("c"))
        gate.open.set()
        assert not (await running).blocked
        assert not (await third).blocked
        assert [text for text, _ in gate.calls] == ["a", "c"]

    asyncio.run(main())


def test_one_guard_serves_several_loops_in_several_threads() -> None:
    guard = Guard(classifier=ScriptedClassifier({"ignore": Label.INJECTION}))

    async def check(text: str) -> bool:
        return (await guard.acheck(text)).blocked

    with ThreadPoolExecutor(3) as pool:
        answers = pool.map(lambda text: asyncio.run(check(text)), ["ignore", "hello"] * 6)
    assert list(answers) == [True, False] * 6


def test_a_check_runs_in_the_context_of_its_caller() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    seen: list[str] = []

    class Looking(ScriptedClassifier):
        def classify(self, text: str, source: Source) -> Classification:
            seen.append(variable.get())
            return super().classify(text, source)

    async def main() -> None:
        variable.set("request 1")
        await Guard(classifier=Looking()).acheck("hello")

    asyncio.run(main())
    assert seen == ["request 1"]


def test_threads_and_a_loop_agree_with_a_serial_run() -> None:
    texts = [("ignore " if i % 3 == 0 else "hello ") + "x" * (i % 17) for i in range(300)]
    guard = Guard(classifier=ScriptedClassifier({"ignore": Label.INJECTION}))

    def answer(verdict: Verdict) -> tuple[Any, ...]:
        return verdict.label, verdict.action, dict(verdict.scores), verdict.span

    async def all_at_once() -> list[Verdict]:
        return list(await asyncio.gather(*(guard.acheck(text) for text in texts)))

    serial = [answer(guard.check(text)) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert [answer(verdict) for verdict in pool.map(guard.check, texts)] == serial
    assert [answer(verdict) for verdict in asyncio.run(all_at_once())] == serial


def test_a_guard_made_and_dropped_leaves_no_threads() -> None:
    import gc

    async def main() -> None:
        await Guard(classifier=ScriptedClassifier()).acheck("hello")

    before = set(threading.enumerate())
    asyncio.run(main())
    gc.collect()
    started = set(threading.enumerate()) - before
    for thread in started:
        thread.join(10)
    assert not any(thread.is_alive() for thread in started)


def test_a_copy_by_pickle_works_and_shares_nothing(scripted: ScriptedClassifier) -> None:
    policy = Policy(mode=Mode.STRICT, allow=(AllowRule(regex="hi+"),))
    guard = Guard(classifier=scripted, policy=policy)
    asyncio.run(guard.acheck("warm"))
    guard.check_messages([{"role": "user", "content": "hello"}])
    copy = pickle.loads(pickle.dumps(guard))
    assert copy.policy == guard.policy
    assert copy.check("ignore this").blocked
    assert asyncio.run(copy.acheck("ignore this")).blocked
    assert copy.classifier is not guard.classifier
    assert copy.check("hiii").rule == "allow[0]"
    assert (guard.stats().checks, copy.stats().checks) == (2, 3)


def test_the_policy_of_a_guard_cannot_be_replaced(guard: Guard) -> None:
    with pytest.raises(AttributeError, match="policy"):
        guard.policy = Policy()  # type: ignore[misc]


def test_a_copy_of_the_embedded_network_is_opened_again(checkpoint: Path) -> None:
    original = EmbeddedClassifier(checkpoint, threads=3)
    copy = pickle.loads(pickle.dumps(original))
    assert (copy.directory, copy.threads, copy._opened) == (checkpoint, 3, None)
    shipped = EmbeddedClassifier()
    assert str(shipped.directory).encode() not in pickle.dumps(shipped)
    assert pickle.loads(pickle.dumps(shipped)).directory == shipped.directory


def child(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


FORK = """
import asyncio, os, threading
from tinyguardrail_sdk import Guard, Label
from tinyguardrail_sdk.testing import ScriptedClassifier

guard = Guard(classifier=ScriptedClassifier({{"ignore": Label.INJECTION}}))
messages = [{{"role": "user", "content": "ignore"}}]
asyncio.run(guard.acheck("warm"))
guard.check_messages(messages)
{held}
pid = os.fork()
if pid == 0:
    assert asyncio.run(guard.acheck("ignore this")).blocked
    assert guard.check_messages(messages)[0].verdict.blocked
    os._exit(0)
_, status = os.waitpid(pid, 0)
assert asyncio.run(guard.acheck("ignore this")).blocked
print(status)
"""


HELD = (
    "guard._checks._workers._lock.acquire();"
    " guard._checks._message_judge._classifier._lock.acquire()"
)


@forks
@pytest.mark.parametrize(
    "held",
    ["", HELD],
    ids=["free", "locks held"],
)
def test_a_fork_after_first_use_checks_in_the_child(held: str) -> None:
    released = "\nguard._checks._workers._lock.release()" if held else ""
    code = FORK.format(held=held).replace("_, status", f"{released.strip()}\n_, status")
    assert child(code) == "0\n"


def test_a_spawned_process_can_be_handed_a_guard() -> None:
    guard = Guard(classifier=ScriptedClassifier({"ignore": Label.INJECTION}))
    guard.check("warm")
    code = (
        "import pickle, sys, asyncio; guard = pickle.loads(bytes.fromhex(sys.argv[1])); "
        "print(guard.check('ignore this').blocked, asyncio.run(guard.acheck('ignore')).blocked)"
    )
    command = [sys.executable, "-c", code, pickle.dumps(guard).hex()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout == "True True\n", done.stderr


STATE = """
import locale, logging, os, signal, sys, threading, warnings
import tinyguardrail_sdk

def state():
    return (dict(os.environ), threading.active_count(), signal.getsignal(signal.SIGINT),
            logging.getLogger().handlers[:], list(warnings.filters), sys.getrecursionlimit(),
            locale.setlocale(locale.LC_ALL))

before = state()
from tinyguardrail_sdk import Guard
from tinyguardrail_sdk.testing import ScriptedClassifier
guard = Guard(classifier=ScriptedClassifier())
guard.check("hello")
guard.check_messages([{"role": "user", "content": "hello"}])
assert "asyncio" not in sys.modules
assert "concurrent.futures.thread" not in sys.modules
assert state() == before
print("same")
"""


def test_making_and_using_a_guard_changes_nothing_global() -> None:
    assert child(STATE) == "same\n"
