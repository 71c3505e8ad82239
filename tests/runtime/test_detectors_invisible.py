"""Characters nobody sees: what they smuggle or split, and where they are at home."""

from collections.abc import Callable

import pytest

from tinyguardrail_sdk.detectors import invisible
from tinyguardrail_sdk.detectors.match import Match
from tinyguardrail_sdk.normalize import normalize

SECRET = "bring the blue folder to room nine"


def found(text: str) -> list[Match]:
    return invisible.find(normalize(text))


def as_tags(text: str) -> str:
    return "".join(chr(0xE0000 + ord(char)) for char in text)


def as_selectors(text: str) -> str:
    return "".join(chr(0xFE00 + b) if b < 16 else chr(0xE0100 + b - 16) for b in text.encode())


def as_bits(text: str, zero: str = "\u200b", one: str = "\u200c") -> str:
    return "".join(one if bit == "1" else zero for b in text.encode() for bit in f"{b:08b}")


@pytest.mark.parametrize(
    "hidden",
    [
        as_tags(SECRET),
        as_selectors(SECRET),
        as_bits(SECRET),
        as_bits(SECRET, zero="\u200d", one="\u2060"),
    ],
    ids=["tags", "variation selectors", "zero-width bits", "inverted zero-width bits"],
)
def test_smuggled_text_is_read(hidden: str) -> None:
    text = f"Nice day \U0001f600{hidden} isn't it?"
    match = max(found(text), key=lambda one: one.score)
    assert match.decoded == SECRET
    assert match.score >= 0.9
    assert text[match.start : match.end] == hidden


@pytest.mark.parametrize("mark", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad"])
def test_split_words_are_joined(mark: str) -> None:
    text = "say " + mark.join("password") + " twice"
    (match,) = found(text)
    assert match.decoded == "password"
    assert match.score >= 0.4
    assert text[match.start : match.end] == mark.join("password")


@pytest.mark.parametrize("mark", ["\u200b", "\u00ad"])
def test_a_split_word_begins_on_its_own_line(mark: str) -> None:
    (match,) = found("Hello\n" + mark.join("ignore") + " this")
    assert (match.start, match.end, match.decoded) == (6, 17, "ignore")


@pytest.mark.parametrize("hide", [as_tags, as_bits], ids=["tags", "zero-width bits"])
def test_long_secrets_are_read_to_their_end(hide: Callable[[str], str]) -> None:
    (match,) = found(f"x{hide(SECRET * 700)}")
    assert match.decoded == SECRET * 700


def test_more_splits_weigh_more() -> None:
    (one,) = found("pass\u200bword")
    (many,) = found(" ".join(["pa\u200bss\u200bword"] * 3))
    assert one.score < many.score


def test_forced_direction_shows_what_is_displayed() -> None:
    (match,) = found(f"note: \u202e{SECRET[::-1]}\u202c end")
    assert match.decoded == SECRET


def test_what_an_annotation_hides() -> None:
    (match,) = found(f"see \ufff9the plan\ufffa{SECRET}\ufffb here")
    assert match.decoded == SECRET


@pytest.mark.parametrize(
    "text",
    [
        "Our family \U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \u2764\ufe0f",
        "\U0001f3f3\ufe0f\u200d\U0001f308 1\ufe0f\u20e3 \u260e\ufe0f",
        "\U0001f3f4" + as_tags("gbsct") + "\U000e007f wins",
        "می\u200cخواهم کتاب\u200cها را بخوانم",
        "क्\u200dष और श्री",
        "\u200fשלום\u200e, 5 \u200fשקלים",
        "\ufeffA file that opens with a byte order mark",
        "Donau\u00addampf\u00adschiff\u00adfahrt",
        "a sentence that ends\u200b with a stray break",
        "ភាសា\u200bខ្មែរ\u200bល្អ",
        "葛\U000e0100城市",
    ],
)
def test_honest_uses_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_marks_without_need_are_a_hint_at_most() -> None:
    assert all(match.score < 0.3 for match in found("call \u202a+49 30 1234\u202c today"))
