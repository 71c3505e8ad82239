"""What people see: the readable verdict, and text that must not take the terminal over."""

import io
import sys
from pathlib import Path

import pytest

from tinyguardrail_sdk import Classification, Mode, Pattern, Policy, Route
from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.cli.progress import ProgressBar
from tinyguardrail_sdk.cli.terminal import visible, wants_color, width
from tinyguardrail_sdk.detectors.match import Match
from tinyguardrail_sdk.testing import ScriptedClassifier


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def with_match(script: ScriptedClassifier, *matches: Match, span: tuple[int, int]) -> None:
    said = Classification((0.01, 0.97, 0.01, 0.01), Route.DEEP, matches, span, (30, 30))
    script._script = {"": said}


def test_the_offending_part_is_marked(
    script: ScriptedClassifier, capsys: pytest.CaptureFixture[str]
) -> None:
    match = Match(Pattern.OVERRIDE, 0.9, 7, 17, "asks to drop instructions", "in \x07 plain")
    with_match(script, match, span=(0, 30))
    assert main(["check", "please ignore all of these now"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "BLOCKED: injection, risk 0.990 (threshold 0.500, mode balanced)"
    at = next(i for i, line in enumerate(lines) if line.startswith("finding"))
    assert lines[at].endswith("override 0.90, characters 7 to 17: asks to drop instructions")
    start = lines[at + 1].index("ignore all")
    assert lines[at + 2] == " " * start + "^" * 10
    assert lines[at + 3].strip() == r"decoded: in \x07 plain"
    assert not any(line.startswith("worst part") for line in lines)


def test_the_mode_is_shown(
    script: ScriptedClassifier, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["check", "--mode", "strict", "hello"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith(", mode strict)")
    path = tmp_path / "policy.json"
    path.write_text(Policy(mode=Mode.PERMISSIVE).to_json(), encoding="utf-8")
    assert main(["check", "--policy", str(path), "hello"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith(", mode permissive)")
    assert main(["check", "--mode", "strict", "--batch", "hello"]) == 0
    assert capsys.readouterr().err.endswith("0 could not be checked (mode strict)\n")


def test_carets_stand_under_wide_characters_and_escapes(
    script: ScriptedClassifier, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "漢\u200bab\x1bcd"
    with_match(script, Match(Pattern.INVISIBLE, 1.0, 3, 6, "hidden", None), span=(0, len(text)))
    assert main(["check", text]) == 1
    shown, carets = capsys.readouterr().out.splitlines()[-2:]
    assert shown.strip() == r"漢\u200bab\x1bcd"
    assert carets.strip() == "^" * len(r"b\x1bc")
    assert carets.index("^") - 11 == 2 + len(r"\u200ba")


def test_long_texts_are_shown_as_excerpts(
    script: ScriptedClassifier, capsys: pytest.CaptureFixture[str]
) -> None:
    match = Match(Pattern.CIPHER, 0.5, 1000, 9000, "letters", "y" * 5000)
    with_match(script, *[match] * 9, span=(500, 9500))
    assert main(["check", "x" * 10_000]) == 1
    output = capsys.readouterr().out
    assert "worst part characters 500 to 9,500" in output
    assert "…xxx" in output
    assert "finding    and 4 more" in output
    assert max(map(len, output.splitlines())) < 120


def test_colours_only_on_terminals_and_never_against_no_color(
    monkeypatch: pytest.MonkeyPatch, script: ScriptedClassifier
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with_match(script, Match(Pattern.OVERRIDE, 0.9, 0, 6, "why", None), span=(0, 6))
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["check", "ignore it"]) == 1
    assert "\x1b[1;7;31mignore\x1b[0m it" in terminal.getvalue()
    assert "^" not in terminal.getvalue()
    assert not wants_color(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_color(terminal)
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_color(terminal)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢 नमस्ते 👍", "plain é 漢 नमस्ते 👍"),
        ("\x1b[2J\x07\x9b", r"\x1b[2J\x07\x9b"),
        ("a\nb\r\tc\0", r"a\nb\r\tc\x00"),
        ("\u200b\u202e\ufeff\u2028", r"\u200b\u202e\ufeff\u2028"),
        ("\U000e0041\ufe0f\U000e0101", r"\U000e0041\ufe0f\U000e0101"),
        ("\ud800\u3164\ue000", r"\ud800\u3164\ue000"),
        ("e" + "\u0301" * 4, "e\u0301\u0301" + r"\u0301\u0301"),
    ],
)
def test_nothing_invisible_or_steering_reaches_the_terminal(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_widths() -> None:
    assert [width(text) for text in ("", "ab", "漢字", "e\u0301", "👍")] == [0, 2, 4, 1, 2]


def test_the_bar_is_silent_off_terminals_and_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    file, terminal = io.StringIO(), Terminal()
    for stream in (file, terminal):
        bar = ProgressBar(stream)
        bar.update(1, 10)
        bar.clear()
        assert stream.getvalue() == ""
    clock[0] += 60.0
    ProgressBar(file).update(5, 10)
    assert file.getvalue() == ""


def test_the_bar_shows_share_and_time_left_and_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    terminal = Terminal()
    bar = ProgressBar(terminal)
    clock[0] += 60.0
    bar.update(1, 4)
    assert terminal.getvalue() == "\r\x1b[K[########......................]  25%, 3:00 left"
    bar.update(2, 4)  # too soon to draw again
    assert "50%" not in terminal.getvalue()
    bar.clear()
    assert terminal.getvalue().endswith("left\r\x1b[K")
    clock[0] += 1.0
    bar.update(7, 0)
    assert terminal.getvalue().endswith("working, 1:01")
