"""One reader of JSON lines: which files, blank lines, and the place of what is wrong."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.data.jsonl import data_files, read_lines, stem_of, write_json
from tinyguardrail_sdk.training.data.pools import load_pools
from tinyguardrail_sdk.training.data.schema import read_examples, write_rows
from tinyguardrail_sdk.training.rows import read_rows

GOOD = {"text": "some text", "label": "benign"}


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_blank_lines_are_skipped_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps(GOOD), "", "  ", json.dumps(GOOD))
    assert [number for number, _ in read_lines(path)] == [1, 4]
    assert len(read_rows([path], {})) == len(list(read_examples(path))) == 2
    assert len(load_pools([path]).examples) == 2


@pytest.mark.parametrize(
    "line",
    ["not json", "[1]", '"text"', '{"text": 5, "label": "benign"}', '{"text": "x", "label": 1}',
     '{"text": "x"}'],
)  # fmt: skip
def test_every_reader_names_the_line(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps(GOOD), "", line)
    for read in (
        lambda: read_rows([path], {}),
        lambda: list(read_examples(path)),
        lambda: load_pools([path]),
    ):
        with pytest.raises(InputError, match=r"a\.jsonl, line 3: .*`text` and `label`"):
            read()


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_file_that_is_not_written_to_its_end_does_not_appear(tmp_path: Path, name: str) -> None:
    def rows() -> Iterator[dict[str, str]]:
        yield GOOD
        raise KeyboardInterrupt

    path = tmp_path / name
    with pytest.raises(KeyboardInterrupt):
        write_rows(path, rows())
    assert not list(tmp_path.iterdir())
    write_rows(path, [GOOD])
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_rows(path, rows())
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_what_a_link_points_to_is_written(tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "real.jsonl")
    write_rows(tmp_path / "link.jsonl", [GOOD])
    assert (tmp_path / "link.jsonl").is_symlink()
    assert [number for number, _ in read_lines(tmp_path / "real.jsonl")] == [1]


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_rows(Path(os.devnull), [GOOD])
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"label": "spam"}, "label 'spam' is none of benign, injection"),
        ({"source": "moon"}, "source 'moon' is none of user"),
        ({"span": 3}, "a span is"),
        ({"span": ["a", "b"]}, "a span is"),
    ],
)
def test_a_row_outside_the_vocabulary_is_named(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps(GOOD), json.dumps(GOOD | change))
    with pytest.raises(InputError, match=rf"a\.jsonl, line 2: .*{told}"):
        list(read_examples(path))


def test_a_pool_row_of_another_label_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps(GOOD | {"label": "spam"}))
    with pytest.raises(InputError, match=r"a\.jsonl, line 1: .*harmful_plain"):
        load_pools([path])


def test_odd_values_where_words_are_expected_do_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps(GOOD | {"source": ["user"], "terms": ["own"]}))
    assert str(read_rows([path], {})[0].source) == "user"
    assert load_pools([path]).dropped == {"terms ['own']": 1}


def test_rows_without_a_label_may_be_given_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", '{"text": "x"}', json.dumps(GOOD | {"label": "jailbreak"}))
    assert [row["label"] for _, row in read_lines(path, "benign")] == ["benign", "jailbreak"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    packed = gzip.compress((json.dumps(GOOD) + "\n").encode() * 50)
    (tmp_path / "cut.jsonl.gz").write_bytes(packed[:-9])
    (tmp_path / "latin.jsonl").write_bytes(b'{"text": "caf\xe9", "label": "benign"}\n')
    (tmp_path / "bits.jsonl.gz").write_bytes(packed[:10] + b"\xff\xff")
    for name in ("cut.jsonl.gz", "latin.jsonl", "bits.jsonl.gz"):
        with pytest.raises(InputError, match=f"{name}.*write the file again"):
            list(read_lines(tmp_path / name))


def test_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl.gz", "notes.txt"):
        (tmp_path / name).touch()
    assert [stem_of(path) for path in data_files([tmp_path])] == ["a", "b"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no \.jsonl"):
        list(data_files([tmp_path / "empty"]))


def test_a_report_that_cannot_be_written_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_json(path, {"rows": 1})
    with pytest.raises(TypeError):
        write_json(path, {"rows": 2, "what": object()})
    assert json.loads(path.read_text(encoding="utf-8")) == {"rows": 1}
    assert os.listdir(tmp_path) == ["report.json"]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_reading_says_how_far_in_the_file_it_is(tmp_path: Path, name: str) -> None:
    path, told = tmp_path / name, list[int]()
    write_rows(path, ({"text": f"{n} {n**5}", "label": "benign"} for n in range(40_000)))
    assert sum(1 for _ in read_lines(path, advance=told.append)) == 40_000
    assert told == sorted(told)
    assert 0 < told[10] < told[40] < told[-1] <= path.stat().st_size
