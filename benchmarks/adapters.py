"""What an adapter costs over the checks that it makes: `python -m benchmarks.adapters`.

The client is OpenAI's own, answered in this process without a network, and the checks are answered
by a script. Timed are a guarded call, the same call without a guard, and the same checks made by
hand, one of each in a round and in random order: each round gives one difference, and whatever
slows the machine for longer than a few milliseconds slows all three. Printed is the median of many
rounds with its interval of 95 %, in processor time of the one thread that does it all, garbage
collected between rounds only. Beside much other work the figure of one turn came out too low.

The messages go in `extra_body`, which the client sends as it is and the adapter reads like all
else. Named, they are validated by the client for a tenth of a millisecond each, whose noise would
be more than what is measured.

Besides, what the checks of a conversation cost that the guard remembers: it is read again, and its
texts are hashed to find the answers, which the policy decides about afresh.
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx2
import openai

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


def main() -> None:
    """Print a line for each length of conversation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    rounds = parser.parse_args().rounds
    found = {turns: (*overhead(turns, rounds), known(turns, rounds)) for turns in TURNS}
    head = ("turns", "ms a call", "from", "to", "ms of checks that are remembered")
    print_table(head, [(turns, *found[turns]) for turns in TURNS])
    print_json("adapters", {"ms": {str(turns): found[turns] for turns in TURNS}})


def overhead(turns: int, rounds: int) -> tuple[float, float, float]:
    """Return the milliseconds of a guarded call besides its checks, and their interval."""
    script = ScriptedClassifier()
    whole, *parts = calls(script, turns)

    def between() -> None:
        script.calls.clear()
        gc.collect()

    return differences(whole, parts, rounds, between)


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


def known(turns: int, rounds: int) -> float:
    """Return the milliseconds of checking so many turns again, of which the answers are known."""
    guard, messages = Guard(classifier=ScriptedClassifier()), conversation(turns)
    taken = [_timed(lambda: guard.check_messages(messages)) for _ in range(rounds)]
    return statistics.median(taken)


def conversation(turns: int) -> list[dict[str, str]]:
    """Return so many short messages."""
    return [
        {"role": ("user", "assistant")[turn % 2], "content": f"Turn {turn} about opening hours."}
        for turn in range(turns)
    ]


def client() -> Any:
    """Return a client whose requests are answered on the spot."""
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=ANSWER))
    return openai.OpenAI(api_key="none", http_client=httpx2.Client(transport=transport))


def differences(
    whole: Callable[[], object],
    parts: Sequence[Callable[[], object]],
    rounds: int,
    between: Callable[[], object],
) -> tuple[float, float, float]:
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
    return kept[middle], kept[max(middle - reach, 0)], kept[min(middle + reach, rounds - 1)]


def _timed(call: Callable[[], object]) -> float:
    began = time.thread_time()
    call()
    return (time.thread_time() - began) * 1e3


if __name__ == "__main__":
    main()
