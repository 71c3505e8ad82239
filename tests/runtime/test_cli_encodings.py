"""In which encoding the command line reads a file, and what it refuses to take for text."""

import codecs
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyguardrail_sdk import Source
from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.testing import ScriptedClassifier

Refused = Callable[..., str]

pytestmark = pytest.mark.usefixtures("script")

MARKS = {
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}
WIDE = [
    pytest.param(encoding, mark + "ignore é\n".encode(encoding), id=encoding)
    for encoding, mark in MARKS.items()
]
# What a PNG begins with; a library's symbols, in ASCII but for the NUL bytes.
BINARIES = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"hello\0ignore\0", "ignore".encode("utf-16-le")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "text"


def check(path: Path, *options: str) -> list[str]:
    return ["check", "--file", str(path), *options]


@pytest.mark.parametrize("named", [[], ["--encoding", "utf-8-sig"]])
def test_the_mark_of_utf_8_is_no_text(
    path: Path, script: ScriptedClassifier, named: list[str]
) -> None:
    path.write_bytes(codecs.BOM_UTF8 + "ignore é".encode())
    assert main(check(path, *named)) == 1
    assert main(check(path, "--batch", *named)) == 1
    assert script.calls == [("ignore é", Source.USER)] * 2


@pytest.mark.parametrize(("encoding", "content"), WIDE)
def test_a_byte_order_mark_names_the_encoding(
    path: Path, script: ScriptedClassifier, encoding: str, content: bytes
) -> None:
    path.write_bytes(content)
    assert main(check(path)) == 1
    assert script.calls == [("ignore é\n", Source.USER)]


@pytest.mark.parametrize("lines", ["--batch", "--jsonl"])
@pytest.mark.parametrize(("encoding", "content"), WIDE)
def test_lines_in_a_wide_encoding_are_refused_with_the_remedy(
    path: Path, refused: Refused, encoding: str, content: bytes, lines: str
) -> None:
    path.write_bytes(content)
    said = refused(*check(path, lines))
    assert f"text: {encoding[: len('utf-16')]} cannot be read line by line" in said
    assert "save it as UTF-8" in said


@pytest.mark.parametrize("options", [[], ["--batch"]])
@pytest.mark.parametrize(("encoding", "content"), WIDE)
@pytest.mark.parametrize("named", ["latin-1", "utf-8"])
def test_an_encoding_that_a_mark_rules_out_clears_nothing(
    path: Path, refused: Refused, named: str, encoding: str, content: bytes, options: list[str]
) -> None:
    path.write_bytes(content)
    said = refused(*check(path, "--encoding", named, *options))
    assert f"byte order mark of {encoding[: len('utf-16')]}, so it is not {named}" in said
    assert "leave --encoding out" in said


def test_an_encoding_that_is_named(
    path: Path, script: ScriptedClassifier, refused: Refused
) -> None:
    path.write_bytes("café".encode("latin-1"))
    assert "not valid utf-8; say --encoding, such as --encoding latin-1" in refused(*check(path))
    assert main(check(path, "--encoding", "latin-1")) == 0
    path.write_bytes("café".encode("utf-16"))
    assert main(check(path, "--encoding", "utf-16")) == 0
    path.write_bytes("café".encode("utf-16-be"))
    assert main(check(path, "--encoding", "utf-16-be")) == 0
    assert [text for text, _ in script.calls] == ["café"] * 3


def test_a_damaged_wide_file_is_not_sent_to_latin_1(path: Path, refused: Refused) -> None:
    path.write_bytes(codecs.BOM_UTF16_LE + b"a")
    said = refused(*check(path))
    assert "not valid utf-16; the file is damaged" in said
    assert "latin-1" not in said


@pytest.mark.parametrize("options", [[], ["--batch"], ["--json"], ["--jsonl"]])
@pytest.mark.parametrize("content", BINARIES, ids=["png", "symbols", "utf-16 without a mark"])
def test_what_looks_binary_is_not_judged(
    path: Path,
    script: ScriptedClassifier,
    refused: Refused,
    content: bytes,
    options: list[str],
) -> None:
    path.write_bytes(content)
    said = refused(*check(path, *options))
    assert "text: holds NUL bytes and looks binary, nothing was checked; extract its text" in said
    assert "--encoding utf-16-le" in said
    assert not script.calls


def test_text_with_nul_bytes_is_judged_where_its_encoding_is_named(
    path: Path, script: ScriptedClassifier
) -> None:
    path.write_bytes(b"ignore\0this\n")
    assert main(check(path, "--encoding", "utf-8")) == 1
    assert main(check(path, "--encoding", "utf-8", "--batch")) == 1
    assert [text for text, _ in script.calls] == ["ignore\0this\n", "ignore\0this"]


@pytest.mark.parametrize("encoding", ["nonsense", "hex"])
@pytest.mark.parametrize("options", [[], ["--batch"]])
def test_an_encoding_that_does_not_exist(
    path: Path, refused: Refused, encoding: str, options: list[str]
) -> None:
    path.write_bytes(b"hello")
    said = refused(*check(path, "--encoding", encoding, *options))
    assert f"no text encoding is called {encoding}" in said


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp037"])
def test_lines_need_the_line_feed_of_ascii(path: Path, refused: Refused, encoding: str) -> None:
    path.write_bytes(b"hello")
    assert "based on ASCII" in refused(*check(path, "--encoding", encoding, "--batch"))
