"""The phrase grammar: notation, determinism, slots, marks and errors."""

from __future__ import annotations

import random

import pytest

from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.noise import roughen, typos


def grow(*lines: str, seed: int = 0) -> str:
    grammar = Grammar({"s": lines, "word": ["alpha", "beta", "gamma", "delta"]})
    return grammar.grow(random.Random(seed), "s").text


def every(line: str, draws: int = 60) -> set[str]:
    return {grow(line, seed=seed) for seed in range(draws)}


def test_nested_alternatives() -> None:
    assert every("[a|b[c|d]|]x") == {"ax", "bcx", "bdx", "x"}


def test_optional_part_comes_and_goes() -> None:
    assert every("x[?y|z]") == {"x", "xy", "xz"}


def test_bar_and_escapes_are_literal_outside_brackets() -> None:
    assert grow(r"<|im_end|>\n\[a\|b\] \{c\}") == "<|im_end|>\n[a|b] {c}"


def test_reference_cases() -> None:
    assert every("{word^}") == {"Alpha", "Beta", "Gamma", "Delta"}
    assert "ALPHA" in every("{word!}")


@pytest.mark.parametrize("seed", range(8))
def test_bound_reference_repeats(seed: int) -> None:
    left, right = grow("{word=w} {w}", seed=seed).split()
    assert left == right


@pytest.mark.parametrize("seed", range(8))
def test_repetition_takes_different_alternatives(seed: int) -> None:
    words = grow("{word*2-4}", seed=seed).split()
    assert 2 <= len(words) <= 4
    assert len(set(words)) == len(words)


def test_lists() -> None:
    assert grow("{word*2-2#}").startswith("1. ")
    assert grow("{word*2-2-}").count("\n- ") == 1
    assert grow("{word*3-3,}").count(", ") == 2


def test_random_characters() -> None:
    text = grow("{%d4} {%h8} {%A2} {%n7-7}")
    digits, code, capitals, number = text.split()
    assert len(digits) == 4
    assert digits.isdigit()
    assert int(code, 16) >= 0
    assert capitals.isupper()
    assert number == "7"


def test_tidying() -> None:
    assert (
        grow("[|] a  apple [|] , said the man. then [|] a hour?.")
        == "an apple, said the man. Then a hour?"
    )


def test_slot_is_left_alone_by_tidying_and_noise() -> None:
    grammar = Grammar({"s": ["read this:  {code}"]}, ["code"])
    code = "a  b . aGVsbG8gd29ybGQ= ?."
    for seed in range(30):
        assert code in grammar.grow(random.Random(seed), "s", noise=roughen, code=code).text


def test_marks_become_the_span() -> None:
    grammar = Grammar({"s": ["before ⟦the [attack|assault]⟧ after"]})
    grown = grammar.grow(random.Random(1), "s")
    assert grown.span is not None
    start, end = grown.span
    assert grown.text[start:end] in {"the attack", "the assault"}


def test_several_marks_span_them_all() -> None:
    grown = Grammar({"s": ["x ⟦a⟧ y ⟦b⟧ z"]}).grow(random.Random(1), "s")
    assert grown.span is not None
    assert grown.text[slice(*grown.span)] == "a y b"


def test_equal_seeds_grow_equal_texts() -> None:
    line = "{word*1-4} [a|b|c] {%b9}"
    assert [grow(line, seed=s) for s in range(20)] == [grow(line, seed=s) for s in range(20)]


@pytest.mark.parametrize("line", ["[a|b", "a]b]]", "{un known}", "{word", "{missing}"])
def test_bad_rules_are_refused_at_once(line: str) -> None:
    if line == "a]b]]":
        assert grow(line) == line
        return
    with pytest.raises(ValueError, match="grammar"):
        grow(line)


def test_empty_symbol_is_refused() -> None:
    with pytest.raises(ValueError, match="without alternatives"):
        Grammar({"s": []})


def test_typos_keep_short_words() -> None:
    assert typos(random.Random(1), "to be or not", share=1.0) == "to be or not"
    assert typos(random.Random(1), "instructions", share=1.0) != "instructions"


def test_articles_are_mended_in_english_only() -> None:
    assert grow("this is a orange") == "this is an orange"
    assert grow("ayuda a Ana") == "ayuda a Ana"
