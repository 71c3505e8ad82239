import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyguardrail_sdk.chars import (
    CHAR_VOCAB_SIZE,
    CHARS_PER_TOKEN,
    aligned_chars,
    char_codes,
)


def ids(text: str) -> list[int]:
    codes: list[int] = char_codes(text).tolist()
    return codes


def test_every_code_point_has_an_id_and_every_id_but_two_is_used() -> None:
    codes = char_codes("".join(map(chr, range(0x110000))))
    assert codes.dtype == np.int32
    assert len(codes) == 0x110000
    assert set(codes.tolist()) == set(range(2, CHAR_VOCAB_SIZE))


def test_latin1_characters_have_an_id_each() -> None:
    assert ids("".join(map(chr, range(256)))) == list(range(2, 258))


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_an_id_depends_on_nothing_but_its_character(text: str) -> None:
    assert ids(text) == [ids(character)[0] for character in text]


@pytest.mark.parametrize(
    ("latin", "other"), [("a", "а"), ("o", "ο"), ("A", "Ａ"), (" ", "\u200b"), (" ", "\u202e")]
)
def test_look_alikes_differ_from_what_they_imitate(latin: str, other: str) -> None:
    assert ids(latin) != ids(other)


@pytest.mark.parametrize(
    "kinds",
    [
        ("\u200b", "\u202e", "\U000e0041", "\ufe0f", "\u0301", "\u3164"),
        ("а", "α", "ա", "Ꭰ", "ᗩ", "ꓮ", "א", "ا", "中", "か", "가", "क", "😀", "🇦", "𝐚", "ａ"),
    ],
)
def test_kinds_of_character_never_share_an_id(kinds: tuple[str, ...]) -> None:
    assert len({ids(kind)[0] for kind in kinds}) == len(kinds)


def test_styled_alphabets_repeat_letter_by_letter() -> None:
    assert ids("𝐀𝐁𝐙") == ids("𝐚𝐛𝐳") == ids("𝔸𝔹\U0001d551")


def test_cyrillic_case_pairs_share_an_id() -> None:
    assert ids("ЖШ") == ids("жш")


def test_characters_are_gathered_per_token() -> None:
    codes = char_codes("abc " + "x" * 30)
    starts, ends = np.array([0, 4, 34], np.int32), np.array([3, 34, 34], np.int32)
    aligned = aligned_chars(codes, starts, ends)
    assert aligned.shape == (3, CHARS_PER_TOKEN)
    assert aligned.dtype == np.int32
    assert aligned[0].tolist() == ids("abc") + [0] * 17
    assert aligned[1].tolist() == ids("x" * 20)
    assert not aligned[2].any()


def test_a_width_cuts_the_columns() -> None:
    aligned = aligned_chars(
        char_codes("abcdef"), np.array([0], np.int32), np.array([6], np.int32), 4
    )
    assert aligned.tolist() == [ids("abcd")]


def test_no_text_no_tokens() -> None:
    none = np.zeros(0, np.int32)
    assert char_codes("").shape == (0,)
    assert aligned_chars(none, none, none).shape == (0, CHARS_PER_TOKEN)
