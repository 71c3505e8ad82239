"""What an adapter costs over the checks that it makes: `python -m benchmarks.adapters`.

The calls are answered on the spot by a client's own objects, without a network, and the checks by a
script; subtracted is the time of the same checks made by hand. Median of the rounds, one thread.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import openai
from openai.types.chat import ChatCompletion

from tinyguardrail_sdk import Guard
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.testing import ScriptedClassifier

ANSWER = ChatCompletion.model_validate(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "From nine to five."},
            }
        ],
    }
)


def main() -> None:
    """Print a line for each length of conversation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    rounds = parser.parse_args().rounds
    for turns in (1, 10, 40):
        print(f"{turns:3} turns: {overhead(turns, rounds):.3f} ms a call")


def overhead(turns: int, rounds: int) -> float:
    """Return the milliseconds that a guarded call takes longer than its two checks."""
    messages = [
        {"role": ("user", "assistant")[turn % 2], "content": f"Turn {turn} about opening hours."}
        for turn in range(turns)
    ]
    # No memory: else the rounds after the first would check nothing.
    guard = Guard(classifier=ScriptedClassifier(), cache=0)
    client: Any = openai.OpenAI(api_key="none")
    client.chat.completions.create = lambda **_: ANSWER
    wrap(client, guard)
    said = [{"role": "assistant", "content": ANSWER.choices[0].message.content}]

    def by_hand() -> None:
        guard.check_messages(messages)
        guard.check_messages(said)

    guarded = _median(lambda: client.chat.completions.create(model="m", messages=messages), rounds)
    return guarded - _median(by_hand, rounds)


def _median(call: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000.0


if __name__ == "__main__":
    main()
