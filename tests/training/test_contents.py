"""Hashes of files that are remembered: what is read again, and that no change is missed."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest

from tinyguardrail_sdk.training.pipeline import contents
from tinyguardrail_sdk.training.pipeline.contents import Contents


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were read."""
    names: list[str] = []
    usual = contents._read

    def reading(path: Path) -> str:
        names.append(path.name)
        return usual(path)

    monkeypatch.setattr(contents, "_read", reading)
    return names


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files were written long ago."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 10**10)


def write(path: Path, content: str, touched: int) -> Path:
    path.write_text(content, encoding="utf-8")
    os.utime(path, ns=(touched, touched))
    return path


@pytest.mark.usefixtures("later")
def test_an_untouched_file_is_read_once(tmp_path: Path, read: list[str]) -> None:
    write(tmp_path / "a", "one", 10**18)
    known = Contents()
    before = known.hashes([tmp_path], tmp_path)
    again = Contents(dict(known.seen))  # as another run finds it
    assert again.hashes([tmp_path], tmp_path) == before
    assert again.unchanged(before, tmp_path)
    assert read == ["a"]


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    ("content", "touched"),
    [("other", 10**18), ("two", 2 * 10**18), ("two", 10**18)],
    ids=["size", "date", "put in its place with the old date"],
)
def test_a_touched_file_is_read_again(tmp_path: Path, content: str, touched: int) -> None:
    known, path = Contents(), write(tmp_path / "a", "one", 10**18)
    before = known.hashes([tmp_path], tmp_path)
    time.sleep(0.05)  # the clock of a file system is no finer than a few milliseconds
    write(path, content, touched)
    assert known.hashes([tmp_path], tmp_path) != before
    assert not known.unchanged(before, tmp_path)


def test_a_file_that_was_just_written_is_not_trusted(tmp_path: Path, read: list[str]) -> None:
    known, path = Contents(), write(tmp_path / "a", "one", 10**18)
    known.sha256(path)
    known.sha256(path)
    assert (known.seen, read) == ({}, ["a", "a"])


@pytest.mark.usefixtures("later")
def test_what_is_gone_or_damaged_is_changed(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.gz", "wb") as file:
        file.write(b"x" * 1000)
    before = Contents().hashes([tmp_path], tmp_path)
    whole = (tmp_path / "a.gz").read_bytes()
    (tmp_path / "a.gz").write_bytes(whole[:20])
    assert not Contents().unchanged(before, tmp_path)
    (tmp_path / "a.gz").unlink()
    assert not Contents().unchanged(before, tmp_path)
    assert not Contents().unchanged({}, tmp_path)
