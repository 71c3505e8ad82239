"""Nothing of a stream goes on before the window around it was cleared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.streams import ATTACK, SMALL, collect, make
from tinyguardrail_sdk import (
    Action,
    Blocked,
    CheckFailed,
    Classification,
    Delay,
    Finding,
    Guard,
    InputError,
    Label,
    Pattern,
    Policy,
    Route,
    Source,
    StreamGuard,
)
from tinyguardrail_sdk.detectors.match import Match
from tinyguardrail_sdk.testing import ScriptedClassifier

few = settings(max_examples=60, deadline=None)  # a busy machine is no error
benign = st.text("abc .\n\u00e9\U0001f600", max_size=400)
delays = st.builds(Delay, st.integers(18, 60), st.integers(1, 40), st.integers(0, 80))


def cut(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted({place % (len(text) + 1) for place in places}), len(text)]
    return [text[a:b] for a, b in zip(edges, edges[1:], strict=False)]


def through(stream: StreamGuard, deltas: list[str]) -> str:
    return "".join(stream.wrap(deltas))


async def arriving(deltas: list[str]) -> AsyncIterator[str]:
    for delta in deltas:
        yield delta


@few
@given(benign, st.lists(st.integers(0, 400), max_size=40), delays)
def test_a_harmless_stream_arrives_whole_however_it_is_cut(
    text: str, places: list[int], delay: Delay
) -> None:
    stream, _ = make(delay)
    assert through(stream, cut(text, places)) == text


@few
@given(benign, benign, st.lists(st.integers(0, 900), max_size=60), delays)
def test_no_part_of_an_attack_that_fits_goes_on(
    before: str, after: str, places: list[int], delay: Delay
) -> None:
    assert len(ATTACK) <= delay.hold
    stream, _ = make(delay)
    released: list[str] = []
    with pytest.raises(Blocked):
        released.extend(stream.wrap(cut(before + ATTACK + after, places)))
    assert before.startswith("".join(released))
    assert stream.blocked


@few
@given(benign, st.lists(st.integers(0, 400), max_size=60), delays)
def test_the_delay_is_bounded_whatever_comes(text: str, places: list[int], delay: Delay) -> None:
    stream, _ = make(delay)
    given_, got = "", ""
    for delta in cut(text, places):
        given_ += delta
        got += stream.feed(delta)
        assert given_.startswith(got)
        assert len(given_) - len(got) == stream.held < delay.hold + delay.every
    assert got + stream.finish() == text


def test_a_longer_attack_is_seen_through_the_context_and_never_goes_on_whole() -> None:
    stream, _ = make(Delay(hold=2, every=4, context=30))
    released: list[str] = []
    with pytest.raises(Blocked):
        released.extend(stream.wrap("hello " + ATTACK + " bye"))
    assert released
    assert ATTACK not in "".join(released)


def test_asynchronous_streams_are_held_back_alike() -> None:
    deltas = ["Hello", " ", "wor" * 30, "", "ld"]
    pieces = asyncio.run(collect(make()[0].awrap(arriving(deltas))))
    assert pieces == list(make()[0].wrap(deltas))
    assert "".join(pieces) == "".join(deltas)


@pytest.mark.parametrize("delta", [1, 7, 50])
def test_the_cost_grows_with_the_length_and_not_with_its_square(delta: int) -> None:
    def cost(length: int) -> tuple[int, int]:
        stream, scripted = make(Delay())
        through(stream, ["x" * delta] * (length // delta))
        return len(scripted.calls), sum(len(text) for text, _ in scripted.calls)

    (calls, read), (more_calls, more_read) = cost(20_000), cost(200_000)
    assert more_calls < 10.5 * calls
    assert more_read < 10.5 * read
    assert more_read <= 200_000 * (400 + 240 + 160 + delta) / 160
    assert calls <= 20_000 / 160 + 1


def test_a_short_stream_is_checked_once() -> None:
    stream, scripted = make(Delay())
    assert through(stream, ["The answer", " is", " 42."]) == "The answer is 42."
    assert scripted.calls == [("The answer is 42.", Source.OUTPUT)]
    stream, scripted = make()
    assert through(stream, ["", ""]) == ""
    assert scripted.calls == []


def test_a_blocked_stream_stays_blocked() -> None:
    stream, _ = make(source="tool")
    with pytest.raises(Blocked):
        stream.feed("x" * 40 + ATTACK)
    with pytest.raises(Blocked):
        stream.feed("more")
    with pytest.raises(Blocked):
        stream.finish()
    with pytest.raises(Blocked):
        stream.channel(1).feed("x")
    assert stream.verdict is not None
    assert stream.verdict.label is Label.INJECTION


def test_the_verdict_counts_in_the_whole_stream() -> None:
    match = Match(Pattern.OVERRIDE, 0.9, 1, 3, "there", None)
    said = Classification((0.0, 1.0, 0.0, 0.0), Route.FAST, (match,), (0, 5), (5, 5))
    stream = Guard(classifier=ScriptedClassifier({"!": said})).stream(
        delay=Delay(hold=5, every=5, context=0)
    )
    with pytest.raises(Blocked) as caught:
        through(stream, [*("abcdefghijklmno"), "!"])
    assert stream.verdict is caught.value.verdict
    assert stream.verdict is not None
    assert stream.verdict.span == (10, 15)
    assert stream.verdict.findings == (Finding(Pattern.OVERRIDE, 0.9, 11, 13, "there", None),)


@pytest.mark.parametrize("on_block", ["[removed]", lambda verdict: f"[{verdict.label}]"])
def test_a_stream_can_end_with_a_text_instead(on_block: Any) -> None:
    stream, _ = make(on_block=on_block)
    pieces = list(stream.wrap(["fine " * 10, ATTACK, "never"]))
    assert pieces[-1] in ("[removed]", "[injection]")
    assert "never" not in "".join(pieces)
    assert ATTACK not in "".join(pieces)
    assert stream.feed("more") == stream.finish() == ""


def test_a_broken_check_closes_the_stream() -> None:
    stream, _ = make()
    with pytest.raises(CheckFailed):
        stream.feed("explode" * 6)
    assert stream.held == 0
    with pytest.raises(InputError, match="closed"):
        stream.feed("more")
    with pytest.raises(InputError, match="closed"):
        stream.finish()


def test_a_stream_to_be_redacted_is_stopped_and_nothing_can_be_released() -> None:
    policy = Policy(actions={Label.INJECTION: Action.REDACT})
    match = Match(Pattern.OVERRIDE, 0.9, 15, 15 + len(ATTACK), "order", None)
    attack = Classification((0.0, 1.0, 0.0, 0.0), Route.FAST, (match,), (0, 40), (40, 40))
    guard = Guard(classifier=ScriptedClassifier({ATTACK: attack}), policy=policy)
    text = f"Good morning.  {ATTACK} Bye."
    whole = guard.check(text)
    assert ATTACK not in whole.release(text)
    stream = guard.stream(delay=SMALL, on_block="[no]")
    assert through(stream, [text]) == "[no]"
    assert stream.verdict is not None
    with pytest.raises(Blocked):
        stream.verdict.release(text)


@pytest.mark.parametrize("delta", [None, 7, b"x"])
def test_what_is_no_text_is_refused(delta: Any) -> None:
    with pytest.raises(InputError, match=f"not {type(delta).__name__}"):
        make()[0].feed(delta)


@pytest.mark.parametrize("wrong", [{"hold": -1}, {"every": 0}, {"context": 1.5}, {"hold": True}])
def test_impossible_delays_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"{next(iter(wrong))} must be an integer from"):
        Delay(**wrong)


def test_an_unknown_source_is_refused_at_once() -> None:
    with pytest.raises(InputError, match="user, tool, document, output"):
        Guard(classifier=ScriptedClassifier()).stream(source="mail")


def test_channels_are_held_back_apart() -> None:
    stream, scripted = make()
    first, second = stream.channel(0), stream.channel(1)
    assert stream.channel(0) is first
    halves = (ATTACK[:9], ATTACK[9:])
    # The halves lie in different tool calls: no text has the attack, and no window mixes them.
    got = first.feed(halves[0]) + second.feed(halves[1]) + first.finish() + second.finish()
    assert got == ATTACK
    assert [text for text, _ in scripted.calls] == list(halves)


def test_an_attack_in_one_channel_stops_all() -> None:
    stream, _ = make()
    stream.feed("held")
    with pytest.raises(Blocked):
        stream.channel("call").feed("x" * 30 + ATTACK)
    assert stream.held == 0
    with pytest.raises(Blocked):
        stream.finish()


def test_a_failed_check_that_the_policy_allows_goes_on() -> None:
    scripted = ScriptedClassifier({"explode": RuntimeError()})
    stream = Guard(classifier=scripted, policy=Policy(on_error="allow")).stream()
    assert through(stream, ["explode"]) == "explode"
