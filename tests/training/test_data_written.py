"""Texts written one by one: what they must be, and that pairs are not torn apart."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data import written
from tinyguardrail_sdk.training.data.generate import GenerateConfig, generate
from tinyguardrail_sdk.training.data.proportions import DEFAULT_TOTAL, GENERATED
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.split import assigned_split

_READ = (Source.TOOL, Source.DOCUMENT)


@pytest.fixture(scope="module")
def pairs() -> dict[str, list[Example]]:
    found = defaultdict(list)
    for example in written.examples():
        found[example.family].append(example)
    return found


def test_texts_are_many_and_none_stands_twice() -> None:
    texts = [(e.text, e.source) for e in written.examples()]

    assert len(texts) == len(set(texts)) > 9000
    assert not [text for text, _ in texts if text != text.strip()]


def test_every_kind_is_many_and_every_source_has_both_sides() -> None:
    kinds = Counter(e.technique for e in written.examples())
    sources = Counter((e.source, e.label is Label.BENIGN) for e in written.examples())

    assert min(kinds.values()) > 100
    assert set(sources) == {(source, benign) for source in Source for benign in (True, False)}
    assert min(sources.values()) > 100


def test_many_are_not_english_attacks_and_harmless_ones() -> None:
    foreign = [e for e in written.examples() if e.language != "en"]

    assert len({e.language for e in foreign}) >= 17
    assert 0.35 < sum(e.label is not Label.BENIGN for e in foreign) / len(foreign) < 0.65


def test_pairs_stand_in_one_part_and_every_part_has_some(pairs: dict[str, list[Example]]) -> None:
    parts = Counter(assigned_split(e) for e in written.examples())

    assert all(len({assigned_split(e) for e in pair}) == 1 for pair in pairs.values())
    assert min(parts.values()) > 500
    assert sum(len({e.label for e in pair}) > 1 for pair in pairs.values()) > 3000


def test_what_was_planted_in_a_clean_text_is_where_the_attack_stands(
    pairs: dict[str, list[Example]],
) -> None:
    inside = 0
    for pair in pairs.values():
        clean = [e.text for e in pair if e.label is Label.BENIGN]
        for example in pair:
            if example.span and example.span != (0, len(example.text)):
                start, end = example.span
                assert example.source in _READ or example.source is Source.OUTPUT
                assert clean[0].startswith(example.text[:start])
                assert clean[0].endswith(example.text[end:])
                inside += 1

    assert inside > 1000


def test_what_a_user_wrote_is_an_attack_as_a_whole() -> None:
    users = [e for e in written.examples() if e.source is Source.USER and e.span]

    assert all(e.span == (0, len(e.text)) for e in users)


def test_a_set_of_the_default_size_has_nearly_all_and_a_small_one_its_share() -> None:
    small = [e for e in generate(GenerateConfig(total=900)) if e.technique.startswith("written/")]

    assert 0.5 < len(small) / (900 * GENERATED["written"] / sum(GENERATED.values())) < 1.1
    reached = DEFAULT_TOTAL * GENERATED["written"] / sum(GENERATED.values())
    assert reached > 0.9 * len(written.examples())


def test_they_can_be_left_out() -> None:
    made = generate(GenerateConfig(total=300, counts={"written": 0}))

    assert not [e for e in made if e.technique.startswith("written/")]
