"""The split: whole upstreams and held-out frames for test, no near copies across."""

from __future__ import annotations

from tests.training.parting import split
from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.generate import GenerateConfig, generate
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.split import (
    HELD_OUT,
    TEST_UPSTREAMS,
    VALIDATION_UPSTREAMS,
    assigned_split,
)


def pooled(text: str, upstream: str) -> Example:
    return Example(text, Label.BENIGN, technique="pool/x", family=upstream, terms="permissive")


def test_generated_families_stand_on_one_side() -> None:
    parts = split(generate(GenerateConfig(total=3000)))
    families = {name: {e.family for e in rows} for name, rows in parts.items()}

    assert all(parts.values())
    assert not families["train"] & families["validation"]
    assert not families["train"] & families["test"]
    assert all(family.startswith(HELD_OUT) for family in families["test"])


def test_whole_upstreams_go_to_test_and_validation() -> None:
    assert not set(TEST_UPSTREAMS) & set(VALIDATION_UPSTREAMS)
    for upstream in TEST_UPSTREAMS:
        assert assigned_split(pooled("any text", upstream)) == "test"
    for upstream in VALIDATION_UPSTREAMS:
        assert assigned_split(pooled("any text", f"{upstream}+request:x")) == "validation"


def test_a_kind_is_matched_without_its_details() -> None:
    example = pooled("text", "Beijing-AISI/ForesightSafety-Bench#renellm:3")

    assert assigned_split(example) == "test"


def test_about_one_collected_row_in_twenty_five_validates() -> None:
    rows = [pooled(f"a question about subject {i}", "somewhere") for i in range(2000)]
    share = sum(assigned_split(row) == "validation" for row in rows) / len(rows)

    assert 0.02 < share < 0.06


def test_near_copies_of_test_rows_leave_training() -> None:
    text = "Could you please tell me how long the bread has to stay in the oven at 220 degrees?"
    test = pooled(text, "bastioncorpus")
    copies = [
        pooled(text.replace("220", str(n)) + " Thanks.", "elsewhere") for n in range(200, 230)
    ]
    fresh = [pooled(f"word{n} " * 9 + "and nothing else", "elsewhere") for n in range(30)]

    parts = split([test, *copies, *fresh])

    kept = parts["train"] + parts["validation"]
    assert parts["test"] == [test]
    assert not set(kept) & set(copies)
    assert len(kept) == len(fresh)


def test_a_users_own_rows_are_compared_like_all_collected_ones() -> None:
    text = "Could you please tell me how long the bread has to stay in the oven at 220 degrees?"
    own = Example(
        text + " Thanks.", Label.BENIGN, technique="pool/mine", family="mine", terms="own"
    )

    parts = split([pooled(text, "bastioncorpus"), own])

    assert own not in parts["train"] + parts["validation"]
