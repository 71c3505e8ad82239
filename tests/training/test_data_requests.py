"""The same request from a user and from elsewhere; prompts of applications, clean and attacked."""

from __future__ import annotations

import random
from collections import Counter

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data import guarded, placed
from tinyguardrail_sdk.training.data.benign import GENERATORS
from tinyguardrail_sdk.training.data.benign.requests import request
from tinyguardrail_sdk.training.data.schema import Example


def _fours(*, heldout: bool = False) -> list[tuple[Example, ...]]:
    rows = list(placed.by_source(random.Random(5), 400, heldout=heldout))
    return list(zip(*(rows[place::4] for place in range(4)), strict=True))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


def test_a_request_is_benign_from_users_and_an_attack_from_elsewhere() -> None:
    found = 0
    for first, second, clean, attacked in _fours():
        assert [e.label for e in (first, second, clean)] == [Label.BENIGN] * 3
        assert attacked.label is Label.INJECTION
        assert {first.source, second.source} == {Source.USER}
        assert clean.source is attacked.source in (Source.DOCUMENT, Source.TOOL)
        assert attacked.family.endswith(first.family)
        assert clean.family == attacked.family
        assert attacked.span is not None
        start, end = attacked.span
        order = _letters(attacked.text[start:end])
        found += order in _letters(first.text) or order in _letters(second.text)
    assert found > 60  # of 100; others are misspelt, abbreviated or escaped in a table or in JSON


def test_some_orders_are_all_that_a_tool_or_document_says() -> None:
    whole = [e for *_, e in _fours() if e.span == (0, len(e.text))]

    assert 15 < len(whole) < 50
    assert {e.source for e in whole} == {Source.DOCUMENT, Source.TOOL}


def test_verdicts_are_a_good_part_of_requests() -> None:
    rng = random.Random(6)
    kinds = Counter(request(rng)[1].split("/")[0] for _ in range(600))

    assert kinds["request:request_verdict"] > 40
    assert kinds["request:request_phrase"] > 20
    assert kinds["request:request_question"] > 20


def test_held_out_requests_are_others_than_those_of_training() -> None:
    learnt, kept = ({first.family for first, *_ in _fours(heldout=held)} for held in (False, True))

    assert kept
    assert not learnt & kept


def test_prompts_of_applications_are_benign_until_somebody_attacks_them() -> None:
    prompts = list(GENERATORS["app_prompt"](random.Random(7), 100))
    attacked = [
        e
        for e in guarded.generate(random.Random(7), 400)
        if e.label is Label.INJECTION and "rules" in e.family
    ]

    assert {(e.label, e.source) for e in prompts} == {(Label.BENIGN, Source.USER)}
    assert len(attacked) > 20
    # Both kinds name what must not be told, so that it tells nothing.
    assert all(any("reveal" in e.text.lower() for e in rows) for rows in (prompts, attacked))
