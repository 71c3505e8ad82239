"""Where bytes of a stream are cut, before anything of them is judged."""

import pytest

from tinyguardrail_sdk.adapters._http import characters, events


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
