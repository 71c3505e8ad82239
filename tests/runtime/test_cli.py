import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk import Source
from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.testing import ScriptedClassifier

Refused = Callable[..., str]

pytestmark = pytest.mark.usefixtures("script")


@pytest.fixture
def stdin(tmp_path: Path) -> Iterator[Callable[[bytes], None]]:
    """Put bytes on standard input."""
    kept = os.dup(0)

    def feed(content: bytes) -> None:
        path = tmp_path / "stdin"
        path.write_bytes(content)
        file = os.open(path, os.O_RDONLY)
        os.dup2(file, 0)
        os.close(file)

    yield feed
    os.dup2(kept, 0)
    os.close(kept)


def out_lines(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


# Where the text comes from


@pytest.mark.parametrize(("text", "status"), [("hello", 0), ("ignore this", 1), ("", 0)])
def test_the_status_says_allowed_or_blocked(text: str, status: int) -> None:
    assert main(["check", text]) == status


def test_a_check_that_breaks_is_status_2_and_repeats_no_text(
    refused: Refused,
) -> None:
    message = refused("check", "explode secretly")
    assert "not cleared" in message
    assert "secretly" not in message


def test_words_are_joined_so_that_a_missing_quote_clears_nothing(
    script: ScriptedClassifier,
) -> None:
    assert main(["check", "please", "ignore", "this"]) == 1
    assert script.calls == [("please ignore this", Source.USER)]


def test_source_and_mode_reach_the_guard(script: ScriptedClassifier) -> None:
    script._confidence = 0.3  # of the default, benign: a risk of 0.7
    assert main(["check", "--source", "tool", "--mode", "permissive", "x"]) == 0
    assert main(["check", "--source", "tool", "--mode", "strict", "x"]) == 1
    assert script.calls == [("x", Source.TOOL)] * 2


def test_a_file_is_one_text_with_its_line_ends(tmp_path: Path, script: ScriptedClassifier) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\n")
    assert main(["check", "--file", str(path)]) == 0
    assert script.calls == [("one\r\ntwo\n", Source.USER)]


@pytest.mark.parametrize("words", [["{}"], ["--batch", "hello", "{}"], ["--json", "{}"]])
@pytest.mark.parametrize("name", ["", "prompt.txt"], ids=["folder", "file"])
def test_a_text_that_is_a_path_is_judged_with_a_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], name: str
) -> None:
    path = tmp_path / name
    if name:
        path.write_text("ignore this")
    assert main(["check", *(word.format(path) for word in words)]) == 0
    said = capsys.readouterr().err
    assert "the name itself is judged, --file F reads a file" in said
    assert said.count("note:") == 1


@pytest.mark.parametrize("text", ["no/such/file", "no\\such", "Gone.TXT", "gone.jsonl", "a.eml"])
def test_so_is_what_looks_like_a_mistyped_path(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert main(["check", text]) == 0
    assert "looks like, the name of a file or folder; the name itself" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["", "hello", "see a/b", "https://a.example/b", "a\0b", "a/" * 5_000]
)
def test_other_texts_get_no_note(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert main(["check", text]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("words", [["-"], ["--file", "-"], []])
def test_standard_input(
    stdin: Callable[[bytes], None],
    script: ScriptedClassifier,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stdin(b"ignore \xc3\xa9")
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # no terminal, whoever runs the tests
    assert main(["check", *words]) == 1
    assert script.calls == [("ignore é", Source.USER)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "x", "--file", "f"], "not both"),
        (["check", "-", "--file", "f"], "not both"),
        (["check", "x", "--jsonl"], "--jsonl takes no TEXT"),
        (["check", "x", "--json", "--jsonl"], "not allowed with"),
        (["check", "x", "--source", "mail"], "invalid choice"),
        (["check", "x", "--threads", "0"], "integer from 1 on"),
        (["check", "x", "--threads", "many"], "integer from 1 on"),
        (["check", "--file", "no/such/file"], "no/such/file: cannot be read (No such file"),
        (["check", "--file", "."], ".: is a folder; give one file in it"),
        (["check", "x", "--encoding", "nonsense"], "no text encoding is called"),
        (["check", "x", "--sorce", "tool"], "did you mean --source?"),
        (["check", "x", "--treads=3"], "did you mean --threads?"),
        (["check", "x", "--sorce", "tool"], "usage: tinyguardrail check"),
        (["info", "x"], "unrecognized arguments: x\n"),
        (["evaluate", "x", "--worker-count", "2"], "usage: tinyguardrail evaluate"),
        (["data", "mix", "x", "--output", "o", "--sead", "2"], "did you mean --seed?"),
        (["guess"], "invalid choice"),
        ([], "required: COMMAND"),
    ],
)
def test_a_wrong_command_line_is_status_2(refused: Refused, words: list[str], message: str) -> None:
    assert message in refused(*words)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_input_on_a_terminal_nothing_waits(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert "nothing to check" in refused("check")


# JSON and lines


def test_json_is_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", "ignore this"]) == 1
    (fields,) = out_lines(capsys)
    assert fields["label"] == "injection"
    assert fields["blocked"] is True
    assert "line" not in fields


def test_json_of_a_check_that_breaks_says_that_it_is_no_clearance(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", "--json", "explode"]) == 2
    captured = capsys.readouterr()
    fields = json.loads(captured.out)
    assert fields.pop("checked") is False
    assert "not cleared" in fields.pop("error")
    assert not fields
    assert captured.err.startswith("tinyguardrail: ")


def test_every_json_line_gets_a_line_in_order(
    stdin: Callable[[bytes], None], script: ScriptedClassifier, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin(
        b'"hello"\n'
        b'{"text": "ignore this", "source": "document", "id": {"any": [1]}, "more": 1}\r\n'
        b'{"text": "\\ud800", "id": null}'
    )
    assert main(["check", "--jsonl", "--source", "tool", "-"]) == 1
    first, second, third = out_lines(capsys)
    assert (first["line"], first["label"], first["blocked"]) == (1, "benign", False)
    assert "id" not in first
    assert (second["line"], second["label"], second["id"]) == (2, "injection", {"any": [1]})
    assert (third["line"], third["id"]) == (3, None)
    assert script.calls == [
        ("hello", Source.TOOL),
        ("ignore this", Source.DOCUMENT),
        ("\ud800", Source.TOOL),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"hello", "not valid JSON"),
        (b"", "blank line, not valid JSON"),
        (b"  ", "blank line, not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"7", "must be a JSON string or an object"),
        (b'{"id": 5}', 'the object has no "text"'),
        (b'{"id": 5, "text": null}', '"text" and "source" must be strings'),
        (b'{"id": 5, "text": "x", "source": 1}', '"text" and "source" must be strings'),
        (b'{"id": 5, "text": "x", "source": "mail"}', "source must be one of user"),
        (b'{"id": 5, "text": "explode"}', "not cleared"),
        (b'"caf\xe9"', "not valid utf-8; say --encoding"),
    ],
)
def test_a_bad_line_gets_an_error_and_the_rest_goes_on(
    stdin: Callable[[bytes], None], capsys: pytest.CaptureFixture[str], line: bytes, message: str
) -> None:
    stdin(b'"ignore this"\n' + line + b'\n"hello"\n')
    assert main(["check", "--jsonl", "-"]) == 2
    captured = capsys.readouterr()
    first, bad, last = map(json.loads, captured.out.splitlines())
    assert (first["line"], first["blocked"]) == (1, True)
    assert (last["line"], last["blocked"]) == (3, False)
    assert message in bad.pop("error")
    assert bad.pop("checked") is False
    assert bad == ({"line": 2, "id": 5} if b"id" in line else {"line": 2})
    assert first["checked"] is last["checked"] is True
    assert "2 checked, 1 blocked, 1 could not be checked" in captured.err


def test_good_json_lines_leave_standard_error_alone(
    stdin: Callable[[bytes], None], capsys: pytest.CaptureFixture[str]
) -> None:
    stdin(b'"hello"\n')
    assert main(["check", "--jsonl", "-"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("words", [["--jsonl", "-"], ["--batch", "-"], ["-"], []])
def test_an_empty_pipe_is_no_clearance(
    stdin: Callable[[bytes], None],
    refused: Refused,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
) -> None:
    stdin(b"")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert "standard input: empty or blank, nothing was checked" in refused("check", *words)


BLANK = [b" \n\t\r\n", b"\n", b"\n" * 9, b"\xef\xbb\xbf\n", "\u00a0\u3000".encode()]


@pytest.mark.parametrize("content", [*BLANK, b""])
@pytest.mark.parametrize("words", [[], ["--batch"], ["--json"], ["--batch", "--json"]])
def test_a_blank_file_is_no_clearance_either(
    tmp_path: Path, refused: Refused, words: list[str], content: bytes
) -> None:
    path = tmp_path / "blank.txt"
    path.write_bytes(content)
    said = refused("check", "--file", str(path), *words)  # which prints no verdict
    assert "blank.txt: empty or blank, nothing was checked" in said


@pytest.mark.parametrize("content", BLANK)
def test_blank_json_lines_are_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "blank.jsonl"
    path.write_bytes(content)
    assert main(["check", "--jsonl", "--file", str(path)]) == 2
    assert [line["checked"] for line in out_lines(capsys)] == [False] * len(content.splitlines())


def test_blank_lines_before_the_first_text_keep_their_numbers(
    stdin: Callable[[bytes], None], capsys: pytest.CaptureFixture[str]
) -> None:
    stdin(b"\n\nignore this\n\n")
    assert main(["check", "--batch", "--json", "-"]) == 1
    answers = [(each["line"], each["blocked"]) for each in out_lines(capsys)]
    assert answers == [(1, False), (2, False), (3, True), (4, False)]


def test_a_blank_line_of_a_batch_is_a_text_like_the_others(
    stdin: Callable[[bytes], None], script: ScriptedClassifier
) -> None:
    stdin(b"\nhello\n\n")
    assert main(["check", "--batch", "-"]) == 0


def test_an_empty_argument_is_a_text(script: ScriptedClassifier) -> None:
    assert main(["check", ""]) == 0
    assert script.calls == [("", Source.USER)]


def test_a_batch_is_a_line_a_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "prompts"
    path.write_bytes(b"hello\n\nignore \x1b[2J this\r\nbroken \xff\n")
    assert main(["check", "--batch", "--file", str(path)]) == 2
    captured = capsys.readouterr()
    first, second, third, fourth = captured.out.splitlines()
    assert first.split() == ["1", "ALLOWED:", "benign,", "risk", "0.030", "hello"]
    assert second.split() == ["2", "ALLOWED:", "benign,", "risk", "0.030"]
    assert third.endswith(r"BLOCKED: injection, risk 0.990  ignore \x1b[2J this")
    assert fourth.split(":")[0].split() == ["4", "NOT", "CHECKED"]
    assert "3 checked, 1 blocked, 1 could not be checked" in captured.err


def test_a_batch_of_arguments_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--batch", "--json", "hello", "ignore this"]) == 1
    assert [(each["line"], each["blocked"]) for each in out_lines(capsys)] == [
        (1, False),
        (2, True),
    ]
