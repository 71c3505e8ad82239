"""Texts written one by one: what they must be, and that pairs are not torn apart."""

from __future__ import annotations

from collections import Counter

import pytest

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data import written
from tinyguardrail_sdk.training.data.generate import GenerateConfig, generate
from tinyguardrail_sdk.training.data.proportions import DEFAULT_TOTAL, GENERATED
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.split import assigned_split

_READ = (Source.TOOL, Source.DOCUMENT)


@pytest.fixture(scope="module")
def texts() -> list[Example]:
    return [example for pair in written.pairs() for example in pair]


def test_texts_are_many_and_none_stands_twice(texts: list[Example]) -> None:
    assert len(texts) == len({(e.text, e.source) for e in texts}) > 25_000
    assert not [e.text for e in texts if e.text != e.text.strip()]


def test_every_kind_is_many_and_every_source_has_both_sides(texts: list[Example]) -> None:
    kinds = Counter(e.technique for e in texts)
    sources = Counter((e.source, e.label is Label.BENIGN) for e in texts)

    assert min(kinds.values()) > 100
    assert set(sources) == {(source, benign) for source in Source for benign in (True, False)}
    assert min(sources.values()) > 100


def test_many_are_not_english_attacks_and_harmless_ones(texts: list[Example]) -> None:
    foreign = [e for e in texts if e.language != "en"]

    assert len({e.language for e in foreign}) >= 17
    assert 0.35 < sum(e.label is not Label.BENIGN for e in foreign) / len(foreign) < 0.65


def test_pairs_stand_in_one_part_and_every_part_has_some(texts: list[Example]) -> None:
    parts = Counter(assigned_split(e) for e in texts)
    pairs = written.pairs()

    assert all(len({assigned_split(e) for e in pair}) == 1 for pair in pairs)
    assert min(parts.values()) > 1500
    assert sum(len({e.label for e in pair}) > 1 for pair in pairs) > 8000


def test_what_was_planted_in_a_clean_text_is_where_the_attack_stands() -> None:
    inside = 0
    for pair in written.pairs():
        clean = next((e.text for e in pair if e.label is Label.BENIGN), "")
        for example in pair:
            if example.span and clean and example.span != (0, len(example.text)):
                start, end = example.span
                rest = len(example.text) - end
                assert example.source is not Source.USER
                assert example.text[:start] == clean[:start]
                assert example.text[end:] == clean[len(clean) - rest :]
                assert example.text[start] != clean[start : start + 1]
                inside += rest > 0

    assert inside > 500


def test_what_a_user_wrote_is_an_attack_as_a_whole(texts: list[Example]) -> None:
    users = [e for e in texts if e.source is Source.USER and e.span]

    assert all(e.span == (0, len(e.text)) for e in users)


def test_a_small_set_has_its_share_in_whole_pairs() -> None:
    made = [e for e in generate(GenerateConfig(total=900)) if e.technique.startswith("written/")]
    families = {e.family for e in made}

    assert 0.9 < len(made) / (900 * GENERATED["written"] / sum(GENERATED.values())) < 1.1
    assert all(
        len(pair) == sum(e.family == pair[0].family for e in made)
        for pair in written.pairs()
        if pair[0].family in families
    )


def test_a_set_of_the_default_size_has_nearly_all_of_them() -> None:
    asked = (1 + GenerateConfig().heldout_share) * sum(GENERATED.values())
    reached = DEFAULT_TOTAL * GENERATED["written"] / asked

    assert reached > 0.9 * sum(map(len, written.pairs()))


def test_they_can_be_left_out() -> None:
    made = generate(GenerateConfig(total=300, counts={"written": 0}))

    assert not [e for e in made if e.technique.startswith("written/")]
