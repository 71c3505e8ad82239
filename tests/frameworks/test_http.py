"""Where bytes of a stream are cut, before anything of them is judged."""

import pytest

from tinyguardrail_sdk.adapters._http import characters, content_kind, events


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r", "\n\r\n"])
def test_events_are_cut_wherever_their_bytes_are(end: str) -> None:
    whole = f"data: a{end}data: b{end}data: c".encode()
    for at in range(len(whole) + 1):
        first, rest = events(whole[:at], False)
        second, _ = events(rest + whole[at:], True)
        assert b"".join(first + second) == whole
        assert [each.strip() for each in first + second if each.strip()] == [
            b"data: a",
            b"data: b",
            b"data: c",
        ]


def test_characters_are_not_cut_in_two() -> None:
    whole = "aé€😀".encode()
    for at in range(len(whole) + 1):
        (first,), rest = characters(whole[:at], False)
        assert first.decode() + (rest + whole[at:]).decode() == "aé€😀"
    assert characters(b"a\xff", False) == ([b"a\xff"], b"")


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", '"utf-8"', "us-ascii", "utf-8; x=1"])
def test_kinds_of_utf_8(charset: str) -> None:
    assert content_kind(f"Text/JSON ; charset={charset}") == "text/json"


@pytest.mark.parametrize(
    "charset", ["utf-16", "utf-7; x=utf-8", '"utf-7;utf-8"', "utf-7-utf-8", "utf-8; charset=utf-7"]
)
def test_other_charsets_have_no_kind(charset: str) -> None:
    assert content_kind(f"text/json; charset={charset}") is None
