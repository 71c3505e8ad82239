"""Woven requests: only a method asked for a harmful subject is a jailbreak."""

import random

import pytest

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data import woven


def test_the_same_frame_asks_for_a_harmless_and_a_harmful_method() -> None:
    texts = list(woven.generate(random.Random(4), 300))

    assert [e.label for e in texts[:3]] == [Label.BENIGN, Label.JAILBREAK, Label.BENIGN]
    assert [e.family for e in texts[::3]] == [e.family for e in texts[1::3]]
    assert len({e.text for e in texts}) == 300


def test_frames_that_want_no_method_are_never_attacks() -> None:
    texts = list(woven.generate(random.Random(5), 600))
    told = {e.label for e in texts if e.family.startswith("woven:told/")}

    assert told == {Label.BENIGN}


def test_held_out_frames_are_others_than_those_of_training() -> None:
    learnt = {e.family for e in woven.generate(random.Random(6), 900)}
    tested = {e.family for e in woven.generate(random.Random(6), 900, heldout=True)}

    assert tested
    assert not learnt & tested


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("break into a house", "breaking into a house"),
        ("forge a will", "forging a will"),
        ("rob a bank", "robbing a bank"),
        ("secretly film guests", "secretly filming guests"),
        ("cook", "cooking"),
    ],
)
def test_gerunds(clause: str, expected: str) -> None:
    assert woven.gerund(clause) == expected
