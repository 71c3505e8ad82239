"""What an adapter costs over the checks that it makes: `python -m benchmarks.adapters`.

The client is OpenAI's own, answered in this process without a network, and the checks are answered
by a script. Timed are a guarded call, the same call without a guard, and the same checks made by
hand, one of each in a round and in random order: each round gives one difference, and whatever
slows the machine for longer than a few milliseconds slows all three. Printed is the median of many
rounds with its interval of 95 %, in processor time of the one thread that does it all, garbage
collected between rounds only. Beside much other work the figure of one turn came out too low.

The messages go in `extra_body`, which the client sends as it is and the adapter reads like all
else. Named, they are validated by the client, whose noise would be more than what is measured.

The control is the call without a guard and the checks by hand, one after the other, less the same
two by themselves: no adapter is in it, so it must be about 0.
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import httpx2
import openai

from benchmarks.texts import conversation
from benchmarks.timing import print_json, print_table
from tinyguardrail_sdk import Guard
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.testing import ScriptedClassifier

TURNS = (1, 10, 40)
SAID = {"role": "assistant", "content": "From nine to five."}
ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": SAID}],
}


class Difference(NamedTuple):
    """Milliseconds that a call takes longer than its parts: the median, and its interval."""

    ms: float
    low: float
    high: float


def main() -> None:
    """Print two lines for each length of conversation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    rounds = parser.parse_args().rounds
    found = [
        (name, turns, difference)
        for turns in TURNS
        for name, difference in overhead(turns, rounds).items()
    ]
    head = ("call", "turns", "ms", "from", "to")
    print_table(head, [(name, turns, *difference) for name, turns, difference in found])
    lines = [{"call": name, "turns": turns, **each._asdict()} for name, turns, each in found]
    print_json("adapters", {"rounds": rounds, "calls": lines})


def overhead(turns: int, rounds: int) -> dict[str, Difference]:
    """Return what a guarded call takes besides its parts, and what the control does."""
    script = ScriptedClassifier()
    guarded, *parts = calls(script, turns)

    def between() -> None:
        script.calls.clear()
        gc.collect()

    wholes = {"guarded": guarded, "control": in_a_row(parts)}
    return {name: differences(wholes[name], parts, rounds, between) for name in wholes}


def calls(script: ScriptedClassifier, turns: int) -> tuple[Callable[[], object], ...]:
    """Return a guarded call of so many turns, one without a guard, and its checks by hand."""
    messages = conversation(turns)
    body = {"messages": messages}
    # No memory: else the calls after the first would check nothing.
    guard = Guard(classifier=script, cache=0)
    plain, guarded = client(), client()
    wrap(guarded, guard)

    def by_hand() -> None:
        guard.check_messages(messages)
        guard.check_messages([SAID])

    def asking(one: Any) -> Callable[[], object]:
        return lambda: one.chat.completions.create(model="m", messages=[], extra_body=body)

    return asking(guarded), asking(plain), by_hand


def client() -> Any:
    """Return a client whose requests are answered on the spot."""
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=ANSWER))
    return openai.OpenAI(api_key="none", http_client=httpx2.Client(transport=transport))


def in_a_row(parts: Sequence[Callable[[], object]]) -> Callable[[], None]:
    """Return a call that makes others, one after the other."""

    def call() -> None:
        for part in parts:
            part()

    return call


def differences(
    whole: Callable[[], object],
    parts: Sequence[Callable[[], object]],
    rounds: int,
    between: Callable[[], object],
) -> Difference:
    """Return how many milliseconds `whole` takes longer than its parts, and the interval of that.

    Args:
        whole: The call that does what all the parts do, and more.
        parts: Calls that are taken off.
        rounds: Differences that are taken; the first tenth warms up.
        between: Called after each round, not timed.
    """
    rng, contestants = random.Random(0), [whole, *parts]
    found = []
    gc.collect()
    gc.freeze()  # what is there stays, so that collecting between the rounds is quick
    gc.disable()
    try:
        for _ in range(rounds + rounds // 10):
            taken = {each: _timed(each) for each in rng.sample(contestants, len(contestants))}
            found.append(taken[whole] - sum(taken[each] for each in parts))
            between()
    finally:
        gc.enable()
        gc.unfreeze()
    kept = sorted(found[-rounds:])
    reach = round(0.98 * math.sqrt(rounds))  # ranks about the median that hold it 95 times of 100
    middle = rounds // 2
    low, high = max(middle - reach, 0), min(middle + reach, rounds - 1)
    return Difference(kept[middle], kept[low], kept[high])


def _timed(call: Callable[[], object]) -> float:
    began = time.thread_time()
    call()
    return (time.thread_time() - began) * 1e3


if __name__ == "__main__":
    main()
