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


def _kind(example: Example) -> str:
    return example.technique.partition("/")[2]


def _pairs(texts: list[Example]) -> Iterator[tuple[Example, Example]]:
    return zip(texts[::2], texts[1::2], strict=True)


def test_texts_come_in_pairs_of_one_language_and_kind(texts: list[Example]) -> None:
    for harmless, attack in _pairs(texts):
        assert harmless.label is Label.BENIGN
        assert attack.label is (Label.INJECTION if _kind(attack) == "dropped" else Label.JAILBREAK)
        assert (harmless.language, _kind(harmless)) == (attack.language, _kind(attack))
        assert attack.span == (0, len(attack.text))
    assert {e.language for e in texts} == LANGUAGES


def test_only_the_wish_tells_the_two_sides_of_a_frame_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wish(words: object, rng: random.Random, kind: str, heldout: bool) -> dict[str, str]:
        return {"ask": f"<{kind}>", "topic": f"<{kind}>"}

    monkeypatch.setattr(wrapped_tongues._Words, "wish", wish)
    monkeypatch.setattr(wrapped_tongues, "roughen", lambda rng, text: text)
    made = list(wrapped_tongues.generate(random.Random(2), 1000))
    pairs = [pair for pair in _pairs(made) if _kind(pair[0]) not in ("mode", "dropped")]

    assert {_kind(harmless) for harmless, _ in pairs} > {"role", "fiction", "code"}
    for harmless, attack in pairs:
        assert "<good>" in harmless.text
        assert harmless.text.replace("<good>", "<bad>") == attack.text
        assert harmless.family == attack.family
    modes = [pair for pair in _pairs(made) if _kind(pair[0]) == "mode"]
    assert all("<good>" in soft.text and "<bad>" in hard.text for soft, hard in modes)
    # What a user takes back is harmless; to ignore what was said before is not, whatever follows.
    dropped = [pair for pair in _pairs(made) if _kind(pair[0]) == "dropped"]
    assert all(turn.text.count("<good>") == 2 for turn, _ in dropped)
    assert {drop.text.rpartition("<")[2] for _, drop in dropped} == {"good>", "bad>"}


def test_wishes_of_test_are_none_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[bool, set[str]] = {False: set(), True: set()}
    original = wrapped_tongues._Words.wish

    def wish(
        words: wrapped_tongues._Words, rng: random.Random, kind: str, heldout: bool
    ) -> dict[str, str]:
        made = original(words, rng, kind, heldout)
        drawn[heldout] |= set(made.values())
        return made

    monkeypatch.setattr(wrapped_tongues._Words, "wish", wish)
    for heldout in drawn:
        list(wrapped_tongues.generate(random.Random(3), 600, heldout=heldout))
    assert min(map(len, drawn.values())) > 200
    assert not drawn[False] & drawn[True]


def test_no_symbol_or_slot_is_left_over(texts: list[Example]) -> None:
    assert not [e.text for e in texts if any("\ue000" <= char <= "\uf8ff" for char in e.text)]
    assert diversity(texts)["distinct_texts"] > 0.97 * len(texts)


def test_every_language_has_the_same_kinds_of_frames() -> None:
    def kinds(language: str) -> set[str]:
        grammar = Grammar.load("base", f"wrapped_{language}", slots=("ask", "topic"))
        frames = grammar.symbols("frame:")
        return {frame.removeprefix("frame:").partition("/")[0] for frame in frames}

    assert len(kinds("en")) == 14
    assert all(kinds(language) == kinds("en") for language in LANGUAGES)


def test_held_out_texts_are_others_than_those_of_training(texts: list[Example]) -> None:
    tested = list(wrapped_tongues.generate(random.Random(6), 600, heldout=True))

    assert {e.language for e in tested} == LANGUAGES
    assert {_kind(e) for e in tested} > {"role", "mode", "fiction"}
    assert "dropped" not in {_kind(e) for e in tested}
    assert not {e.family for e in texts} & {e.family for e in tested}
