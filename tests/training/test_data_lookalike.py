"""Harmless prompts in the words of attacks, and attacks on the same topics."""

from __future__ import annotations

import random
import re

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks import lookalike
from tinyguardrail_sdk.training.data.schema import Example

_TRIGGERS = ("ignore", "disregard", "forget", "override", "bypass", "reveal", "print", "secret",
             "hidden", "previous", "instructions", "rules", "system", "prompt", "admin", "unlock",
             "act as", "pretend", "from now on", "must")  # fmt: skip


def _rows(count: int = 4000, *, heldout: bool = False) -> list[Example]:
    return list(lookalike.generate(random.Random(3), count, heldout=heldout))


def test_every_fourth_is_an_attack_of_a_user_and_marks_where_it_stands() -> None:
    for number, row in enumerate(_rows(800)):
        assert row.source is Source.USER
        if number % 4 == 3:
            assert row.label in (Label.INJECTION, Label.JAILBREAK)
            assert row.span is not None
            assert row.span[0] == 0 or row.span[1] == len(row.text)
        else:
            assert (row.label, row.span) == (Label.BENIGN, None)


def test_both_sides_use_the_same_words() -> None:
    rows = _rows()
    for attacked in (False, True):
        texts = [r.text.lower() for r in rows if (r.label is not Label.BENIGN) is attacked]
        few = [word for word in _TRIGGERS if sum(word in text for text in texts) < 8]
        assert not few


def test_every_group_has_an_attack_and_families_hold_both_labels() -> None:
    rows = _rows(8000)
    families = {r.family for r in rows}
    assert families == {r.family for r in rows if r.label is not Label.BENIGN}
    assert len({r.text for r in rows}) > 7500
    assert {r.language for r in rows} >= {"en", "de", "fr", "es", "pt", "it", "ru", "zh", "ja"}


def test_held_out_frames_are_not_learnt() -> None:
    kept = {r.family for r in _rows(600, heldout=True)}
    assert kept
    assert not kept & {r.family for r in _rows()}


def test_harmless_prompts_do_not_ask_for_the_rules_of_the_model() -> None:
    asked = re.compile(
        r"\b(?:print|show|reveal|repeat|ignore|disregard|forget|override|bypass) "
        r"(?:all )?(?:of )?your (?:system prompt|prompt|instructions|rules|guidelines)",
        re.IGNORECASE,
    )
    harmless = [r.text for r in _rows() if r.label is Label.BENIGN]
    assert not [t for t in harmless if asked.search(t) and '"' not in t and "“" not in t]
