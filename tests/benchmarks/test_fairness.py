"""The benchmarks measure what they say: exact lengths, different texts, everyone in every round."""

from __future__ import annotations

import json
from functools import partial

import pytest

from benchmarks.texts import texts, tokenizer
from benchmarks.timing import WARM_UP, interleaved, print_json, print_table
from tinyguardrail_sdk.features import FeatureExtractor
from tinyguardrail_sdk.labels import Source

LENGTHS = (16, 32, 64, 128, 256)


@pytest.mark.parametrize("tokens", LENGTHS)
def test_texts_are_one_window_of_the_length_asked_for(tokens: int) -> None:
    extractor = FeatureExtractor(tokenizer())
    for text in texts(tokens, 20):
        windows = extractor.extract(text, Source.USER).windows
        # Views that a detector adds by mistake stay in: users pay for them, so we do, too.
        as_written = [len(window.token_ids) for window in windows if window.match is None]
        assert as_written == [tokens]


@pytest.mark.parametrize("tokens", LENGTHS)
def test_texts_of_a_length_differ_and_recur_from_run_to_run(tokens: int) -> None:
    assert len(set(texts(tokens, 20))) == 20
    assert texts(tokens, 20) == texts(tokens, 20)


def test_contestants_take_turns_and_rotate_their_calls() -> None:
    log: list[str] = []
    contestants = {name: [partial(log.append, f"{name}{i}") for i in range(2)] for name in "ab"}
    timings = interleaved(contestants, rounds=4)
    timed = log[-8:]
    rounds = [sorted(timed[start : start + 2]) for start in range(0, 8, 2)]
    assert rounds == [["a0", "b0"], ["a1", "b1"]] * 2
    assert len(log) == 8 + 2 * WARM_UP
    assert all(0 <= t.median <= t.p95 for t in timings.values())


def test_the_last_line_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["what", "ms"], [["a part", 1.23456]])
    print_json("name", {"ms": {64: 1.5}})
    *table, last = capsys.readouterr().out.splitlines()
    assert table == ["| what | ms |", "| --- | --- |", "| a part | 1.23 |"]
    assert json.loads(last)["benchmark"] == "name"
    assert json.loads(last)["ms"] == {"64": 1.5}
