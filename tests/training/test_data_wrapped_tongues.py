"""Wrapped prompts in many languages: pairs, kinds of attack, and what is kept for testing."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data import wrapped_tongues
from tinyguardrail_sdk.training.data.diversity import diversity
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.schema import Example

LANGUAGES = {
    "ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "uk",
    "vi", "zh",
}  # fmt: skip


@pytest.fixture(scope="module")
def texts() -> list[Example]:
    return list(wrapped_tongues.generate(random.Random(4), 4000))


def _pairs(texts: list[Example], shape: str = "") -> Iterator[tuple[Example, Example]]:
    chosen = [e for e in texts if e.technique.partition("/")[2].startswith(shape)]
    return zip(chosen[::2], chosen[1::2], strict=True)


def test_texts_come_in_pairs_of_one_language_and_family(texts: list[Example]) -> None:
    for harmless, attack in _pairs(texts):
        assert harmless.label is Label.BENIGN
        assert attack.label is not Label.BENIGN
        assert harmless.language == attack.language
        assert harmless.family == attack.family
        assert attack.span == (0, len(attack.text))
    assert {e.language for e in texts} == LANGUAGES


def test_a_frame_is_the_same_around_both_wishes(texts: list[Example]) -> None:
    shared = [
        len(set(harmless.text) & set(attack.text)) / len(set(harmless.text) | set(attack.text))
        for harmless, attack in _pairs(texts, "framed")
    ]
    assert sum(shared) / len(shared) > 0.6
    assert {attack.label for _, attack in _pairs(texts, "framed")} == {Label.JAILBREAK}


def test_dropping_a_request_for_a_harmful_one_is_an_injection(texts: list[Example]) -> None:
    pairs = list(_pairs(texts, "dropped"))
    assert len({attack.language for _, attack in pairs}) > 10
    assert {attack.label for _, attack in pairs} == {Label.INJECTION}


def test_no_symbol_or_slot_is_left_over(texts: list[Example]) -> None:
    assert not [e.text for e in texts if any("\ue000" <= char <= "\uf8ff" for char in e.text)]
    assert diversity(texts)["distinct_texts"] > 0.97 * len(texts)


def test_every_language_has_the_same_kinds_of_frames() -> None:
    def kinds(language: str) -> set[str]:
        grammar = Grammar.load("base", f"wrapped_{language}", slots=("ask", "topic"))
        frames = grammar.symbols(f"frame:{language}/")
        return {frame.partition("/")[2].rpartition("-")[0] for frame in frames}

    assert len(kinds("en")) == 14
    assert all(kinds(language) == kinds("en") for language in LANGUAGES)


def test_held_out_texts_are_others_than_those_of_training(texts: list[Example]) -> None:
    tested = list(wrapped_tongues.generate(random.Random(6), 600, heldout=True))

    assert len({e.language for e in tested}) > 10
    assert not {e.family for e in texts} & {e.family for e in tested}
    assert not {e.text for e in texts} & {e.text for e in tested}
