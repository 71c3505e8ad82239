"""What is kept of a work: taken up, cut short, damaged, of another key, and gone in the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

pytest.importorskip("datasketch")

from tinyguardrail_sdk.training.data import generate  # noqa: E402
from tinyguardrail_sdk.training.data.kept import Journal, Kept, keeping, key_of, unfinished  # noqa: E402

pytestmark = pytest.mark.train

GOES_ON, ANEW = "goes on with what is kept", "begins anew"


def _numbers(results: list[int], calls: list[int]) -> Callable[[int], Generator[int, None, None]]:
    def rest(first: int) -> Generator[int, None, None]:
        for result in results[first:]:
            if result < 0:
                raise KeyboardInterrupt
            calls.append(result)
            yield result

    return rest


def _gone_through(kept: Kept, key: str, results: list[int]) -> tuple[list[int], list[int]]:
    """The results, as far as they came, and those of them that were made."""
    made: list[int] = []
    found: list[int] = []
    try:
        for result in kept.results(lambda: key, _numbers(results, made)):
            found.append(result)
    except KeyboardInterrupt:
        pass
    return found, made


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def kept(tmp_path: Path, told: list[str]) -> Kept:
    return Kept(tmp_path / "kept", told.append)


def test_results_are_taken_up_and_the_rest_is_made(kept: Kept, told: list[str]) -> None:
    assert _gone_through(kept, "a", [3, 1, -1]) == ([3, 1], [3, 1])
    assert told == []
    assert _gone_through(kept, "a", [3, 1, 4]) == ([3, 1, 4], [4])
    assert _gone_through(kept, "a", [3, 1, 4]) == ([3, 1, 4], [])
    assert [GOES_ON in line for line in told] == [True, True]


def test_nothing_is_left_to_take_behind_what_was_put(tmp_path: Path) -> None:
    place = tmp_path / "journal"
    with Journal(place, "key") as journal:
        for record in (b"one", b"two"):
            journal.put(record)
            assert journal.take() is None
    with Journal(place, "key") as journal:
        assert [journal.take() for _ in range(3)] == [b"one", b"two", None]


@pytest.mark.parametrize("cut", [1, 9, 17])
def test_what_was_being_written_is_made_again(kept: Kept, cut: int) -> None:
    _gone_through(kept, "a", [3, 1, -1])
    assert kept.folder
    path = kept.folder / kept.name
    path.write_bytes(path.read_bytes()[:-cut])
    found, made = _gone_through(kept, "a", [3, 1, 4])
    assert (found, made) == ([3, 1, 4], [1, 4])
    assert _gone_through(kept, "a", [3, 1, 4]) == ([3, 1, 4], [])


def test_nothing_is_read_behind_a_damaged_result(kept: Kept) -> None:
    _gone_through(kept, "a", [3, 1, 4])
    assert kept.folder
    path = kept.folder / kept.name
    whole = bytearray(path.read_bytes())
    whole[-30] ^= 1  # in the second of three
    path.write_bytes(bytes(whole))
    found, made = _gone_through(kept, "a", [3, 1, 4])
    assert found == [3, 1, 4]
    assert made == [1, 4]


def test_another_key_begins_anew_and_says_so(kept: Kept, told: list[str]) -> None:
    _gone_through(kept, "a", [3, 1])
    assert _gone_through(kept, "b", [2]) == ([2], [2])
    assert [ANEW in line for line in told] == [True]
    assert _gone_through(kept, "b", [2]) == ([2], [])


def test_works_of_a_command_stand_apart(kept: Kept) -> None:
    for name, number in (("old", 1), ("new", 2)):
        _gone_through(kept.named(name), name, [number])
    assert _gone_through(kept.named("old"), "old", [1]) == ([1], [])


def test_what_is_kept_goes_with_success_and_stays_with_an_error(tmp_path: Path) -> None:
    folder = tmp_path / ".result.json.unfinished"
    assert unfinished(tmp_path / "result.json") == folder

    def fail() -> None:
        with keeping(folder) as kept:
            _gone_through(kept, "a", [1])
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert folder.is_dir()
    with keeping(folder) as kept:
        assert _gone_through(kept, "a", [1, 2]) == ([1, 2], [2])
    assert not folder.exists()


def test_the_folder_stands_beside_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert unfinished(Path("a/data")) == tmp_path / "a" / ".data.unfinished"
    assert unfinished(Path()) == tmp_path.parent / f".{tmp_path.name}.unfinished"
    assert unfinished(None) is None
    assert unfinished(Path(os.devnull)) is None


def test_without_a_folder_nothing_is_kept() -> None:
    with keeping(None) as kept:
        assert _gone_through(kept, "a", [1]) == ([1], [1])
        assert _gone_through(kept, "a", [1]) == ([1], [1])


def test_a_key_follows_contents_and_settings_and_no_order_of_sets(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_text("a", encoding="utf-8")
    config = generate.GenerateConfig(terms=frozenset({"own", "permissive"}))
    same = generate.GenerateConfig(terms=frozenset({"permissive", "own"}))
    other = generate.GenerateConfig(terms=frozenset({"own"}))
    assert key_of(config, [path]) == key_of(same, [path]) != key_of(other, [path])
    before = key_of(config, [path])
    path.write_text("b", encoding="utf-8")
    assert key_of(config, [path]) != before
