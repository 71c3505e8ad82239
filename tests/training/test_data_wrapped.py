"""Wrapped prompts: only the wish tells a jailbreak from its harmless twin."""

from __future__ import annotations

import random

import pytest

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data import wrapped
from tinyguardrail_sdk.training.data.diversity import diversity
from tinyguardrail_sdk.training.data.schema import Example


@pytest.fixture(scope="module")
def texts() -> list[Example]:
    return list(wrapped.generate(random.Random(4), 2000))


def test_a_prompt_and_its_twin_stand_in_the_same_frame(texts: list[Example]) -> None:
    harmless, harmful = texts[::2], texts[1::2]

    assert {e.label for e in harmless} == {Label.BENIGN}
    assert {e.label for e in harmful} == {Label.JAILBREAK}
    assert [e.family for e in harmless] == [e.family for e in harmful]
    assert all(e.span == (0, len(e.text)) for e in harmful)


def test_conditions_stand_in_both_halves(texts: list[Example]) -> None:
    for words in ("Stay in character", "disclaimers", "an AI", "step by step"):
        harmful = sum(words in e.text for e in texts[1::2])
        assert 5 < sum(words in e.text for e in texts[::2])
        assert 5 < harmful


def test_no_symbol_or_slot_is_left_over(texts: list[Example]) -> None:
    assert not [e.text for e in texts if any("\ue000" <= char <= "\uf8ff" for char in e.text)]
    assert not [e.text for e in texts if "{wr_" in e.text or "{wx_" in e.text]


def test_prompts_differ_in_length_and_wording(texts: list[Example]) -> None:
    words = sorted(len(e.text.split()) for e in texts)

    assert diversity(texts)["distinct_texts"] > 0.99 * len(texts)
    assert words[len(words) // 20] < 30
    assert words[-len(words) // 20] > 120


def test_held_out_frames_are_others_than_those_of_training(texts: list[Example]) -> None:
    tested = {e.family for e in wrapped.generate(random.Random(6), 300, heldout=True)}

    assert len(tested) > 1
    assert not {e.family for e in texts} & tested
