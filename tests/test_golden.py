"""What the shipped checkpoint answers: the same through every door, and as recorded.

`golden/answers.jsonl` holds this project's own texts with the answers of this checkpoint
(`python tests/golden/regenerate.py` writes them anew); `golden/past_mistakes.jsonl` what earlier
checkpoints got wrong and no later one may.
"""

import asyncio
import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk import Blocked, Delay, Guard, Label, Source
from tinyguardrail_sdk.cli.main import main

GOLDEN = Path(__file__).parent / "golden"
# Another processor's float arithmetic may move a risk, not turn an answer.
TOLERANCE = 0.05

Case = dict[str, Any]


def cases(name: str) -> list[Case]:
    return [json.loads(line) for line in (GOLDEN / name).read_text("utf-8").splitlines()]


ANSWERS = cases("answers.jsonl")
MISTAKES = [
    pytest.param(case, source, id=f"{case['id']}-{source}")
    for case in cases("past_mistakes.jsonl")
    for source in case["sources"]
]


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard()


def check(guard: Guard, case: Case) -> str:
    return guard.check(case["text"], source=case["source"]).label


def check_in_company(guard: Guard, case: Case) -> str:
    texts = ["padding, so that company would show", case["text"]]
    return guard.check_batch(texts, source=case["source"])[1].label


def acheck(guard: Guard, case: Case) -> str:
    return asyncio.run(guard.acheck(case["text"], source=case["source"])).label


def check_messages(guard: Guard, case: Case) -> str:
    (answer,) = guard.check_messages([(case["source"], case["text"])])
    return answer.verdict.label


def protect(guard: Guard, case: Case) -> str:
    read = guard.protect({"text": case["source"]})(lambda text: None)
    return _label_of_block(lambda: read(text=case["text"]))


def stream(guard: Guard, case: Case) -> str:
    text = case["text"]
    held = guard.stream(source=case["source"], delay=Delay(hold=len(text), every=len(text)))
    halves = [text[: len(text) // 2], text[len(text) // 2 :]]
    return _label_of_block(lambda: list(held.wrap(iter(halves))))


def command_line(guard: Guard, case: Case) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        main(["check", "--json", "--source", case["source"], "--", case["text"]])
    label: str = json.loads(out.getvalue())["label"]
    return label


def _label_of_block(call: Callable[[], object]) -> str:
    try:
        call()
    except Blocked as error:
        return error.verdict.label
    return Label.BENIGN


@pytest.mark.parametrize(
    "door",
    [check, check_in_company, acheck, check_messages, protect, stream, command_line],
    ids=lambda door: door.__name__,
)
@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case["id"])
def test_every_door_gives_the_recorded_label(
    guard: Guard, case: Case, door: Callable[[Guard, Case], str]
) -> None:
    assert door(guard, case) == case["label"]


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case["id"])
def test_the_risk_is_as_recorded(guard: Guard, case: Case) -> None:
    verdict = guard.check(case["text"], source=case["source"])
    assert verdict.risk == pytest.approx(case["risk"], abs=TOLERANCE)
    assert verdict.blocked == (case["label"] != "benign")
    assert verdict.scanned == (len(case["text"]), len(case["text"]))


@pytest.mark.parametrize(("case", "source"), MISTAKES)
def test_past_mistakes_stay_mended(guard: Guard, case: Case, source: Source) -> None:
    assert guard.check(case["text"], source=source).label == case["label"]
