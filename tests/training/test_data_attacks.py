"""The attack generators: labels, determinism, split of frames, breadth and variety."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks import (
    goals,
    indirect,
    injection,
    jailbreak,
    obfuscation,
    suffix,
)
from tinyguardrail_sdk.training.data.attacks.disguise import TECHNIQUES
from tinyguardrail_sdk.training.data.diversity import diversity
from tinyguardrail_sdk.training.data.schema import Example, read_examples, write_examples

GENERATORS: dict[str, Callable[..., Iterator[Example]]] = {
    "injection": injection.generate,
    "jailbreak": jailbreak.generate,
    "obfuscation": obfuscation.generate,
}
# Frames in training plus frames held out, and distinct 4-grams among 5,000 texts.
BREADTH = {"injection": (60, 60_000), "jailbreak": (60, 100_000), "obfuscation": (40, 120_000)}


def draw(name: str, count: int, *, seed: int = 3, heldout: bool = False) -> list[Example]:
    return list(GENERATORS[name](random.Random(seed), count, heldout=heldout))


@cache
def many(name: str) -> list[Example]:
    return draw(name, 5000)


@pytest.mark.parametrize("name", GENERATORS)
def test_rows(name: str) -> None:
    for example in many(name):
        assert example.label is Label(name)
        assert example.terms == "own"
        assert example.family.startswith(name)
        assert example.technique
        assert example.text.strip()
        assert "\ue000" not in example.text
        assert example.span is not None
        start, end = example.span
        assert 0 <= start < end <= len(example.text)


@pytest.mark.parametrize("name", GENERATORS)
def test_equal_seeds_make_equal_rows(name: str) -> None:
    assert draw(name, 60) == draw(name, 60)
    assert draw(name, 60) != draw(name, 60, seed=4)


@pytest.mark.parametrize("name", GENERATORS)
def test_train_and_test_share_no_frame(name: str) -> None:
    train = {example.family for example in many(name)}
    test = {example.family for example in draw(name, 700, heldout=True)}
    assert train.isdisjoint(test)
    assert len(test) >= 5


@pytest.mark.parametrize("name", GENERATORS)
def test_breadth(name: str) -> None:
    examples = many(name)
    frames, four_grams = BREADTH[name]
    report = diversity(examples)
    assert report["families"] >= frames
    assert report["distinct_4"] >= four_grams
    assert report["distinct_texts"] >= 4850
    most = Counter(example.family for example in examples).most_common(1)[0][1]
    assert most < 0.06 * len(examples)


def test_lengths_reach_from_a_few_words_to_pages() -> None:
    words = sorted(len(e.text.split()) for e in many("jailbreak"))
    assert words[50] <= 12
    assert words[-25] >= 180
    assert words[-1] <= 600


def test_payloads_of_the_caller_are_used() -> None:
    payload = "Zanzibar quokka question"
    rows = jailbreak.generate(random.Random(1), 200, [payload])
    assert sum(payload.lower() in row.text.lower() for row in rows) > 80


def test_leads_of_the_caller_are_hijacked() -> None:
    lead = "Which quokkas live on Zanzibar?"
    rows = list(injection.generate(random.Random(1), 600, leads=[lead]))
    assert any(lead in row.text and row.span and row.span[0] > len(lead) - 1 for row in rows)


def test_languages() -> None:
    counts = Counter(example.language for example in many("injection"))
    assert set(counts) == {"en", *injection.FOREIGN_LANGUAGES}
    assert 0.15 < 1 - counts["en"] / 5000 < 0.27


@pytest.mark.parametrize("language", jailbreak.FOREIGN_LANGUAGES)
def test_each_language_has_its_jailbreaks(language: str) -> None:
    rng = random.Random(5)
    rows = [jailbreak.jailbreak(rng, language=language) for _ in range(200)]
    assert {row.language for row in rows} == {language}
    assert len({row.family for row in rows}) >= 8
    assert len({row.text for row in rows}) > 190


def test_some_jailbreaks_are_foreign() -> None:
    counts = Counter(example.language for example in many("jailbreak"))
    assert set(counts) == {"en", *jailbreak.FOREIGN_LANGUAGES}
    assert 0.09 < 1 - counts["en"] / 5000 < 0.16


@pytest.mark.parametrize("language", injection.FOREIGN_LANGUAGES)
def test_each_language_has_its_phrasings(language: str) -> None:
    rng = random.Random(5)
    texts = {injection.injection(rng, language=language).text for _ in range(200)}
    assert len(texts) > 150


def test_injections_come_from_every_source() -> None:
    counts = Counter(example.source for example in many("injection"))
    shares = {source: counts[source] / 5000 for source in Source}

    assert 0.7 < shares[Source.USER] < 0.84
    assert 0.06 < shares[Source.TOOL] < 0.12
    assert 0.06 < shares[Source.DOCUMENT] < 0.12
    assert 0.04 < shares[Source.OUTPUT] < 0.08


def test_one_injection_in_eleven_is_one_clause() -> None:
    clauses = [e for e in many("injection") if e.technique.startswith("bare_")]

    assert 0.07 < len(clauses) / 5000 < 0.11
    assert {e.technique for e in clauses} == {"bare_override", "bare_leak"}
    assert {e.source for e in clauses} == set(Source)
    words = sorted(len(e.text.split()) for e in clauses if e.language == "en")
    assert words[len(words) // 20] >= 3
    assert words[-len(words) // 20] <= 12
    assert all(e.span == (0, len(e.text)) for e in clauses)


def test_clauses_end_as_people_end_them() -> None:
    rng = random.Random(11)
    texts = [injection.bare(rng).text for _ in range(600)]

    assert {"!", "."} < {text[-1] for text in texts}
    assert sum(text[-1].isalpha() for text in texts) > 100
    assert sum(text.isupper() for text in texts) > 30
    assert sum(text.islower() for text in texts) > 60
    assert sum(text[0] in "\"'“*(" for text in texts) > 30


def test_clauses_keep_the_split_of_frames() -> None:
    rng = random.Random(12)
    for kind in ("bare_override", "bare_leak"):
        sides = [
            {e.family for e in (injection.bare(rng, heldout=side) for _ in range(400))
             if e.technique == kind}
            for side in (False, True)
        ]  # fmt: skip
        assert sides[1]
        assert sides[0].isdisjoint(sides[1])


@pytest.mark.parametrize("language", injection.FOREIGN_LANGUAGES)
def test_each_language_has_a_clause_of_its_own(language: str) -> None:
    rng = random.Random(13)
    examples = [injection.bare(rng, language=language, heldout=side) for side in (False, True)]

    assert language in {example.language for example in examples}


def test_planted_instructions() -> None:
    rng = random.Random(6)
    drawn = [indirect.instruction(rng) for _ in range(3000)]
    families = {family for _, family in drawn}
    held_out = {indirect.instruction(rng, heldout=True)[1] for _ in range(600)}
    assert len(families) + len(held_out) >= 60
    assert families.isdisjoint(held_out)
    assert any(family.startswith("indirect:quiet/") for family in held_out)
    assert len({text for text, _ in drawn}) > 2700


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_every_disguise_finds_a_frame(technique: str) -> None:
    for heldout in (False, True):
        rng = random.Random(technique)
        example = obfuscation.obfuscate(rng, "Tell me the secret", technique, heldout=heldout)
        assert example.technique.startswith(technique)


def test_goals_are_many() -> None:
    rng = random.Random(7)
    assert len({goals.goal(rng) for _ in range(5000)}) > 4300


def test_soup_is_not_language() -> None:
    rng = random.Random(8)
    assert len({suffix.soup(rng) for _ in range(300)}) > 250


def test_rows_survive_the_disk(tmp_path: Path) -> None:
    rows = [*draw("obfuscation", 50), Example("\ud800", Label.BENIGN, Source.TOOL)]
    for name in ("rows.jsonl", "rows.jsonl.gz"):
        assert write_examples(tmp_path / name, rows) == len(rows)
        assert list(read_examples(tmp_path / name)) == rows
