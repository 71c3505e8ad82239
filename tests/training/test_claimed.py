"""Two commands at one place: the second one is told, and the first one loses nothing."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("datasketch")

from tinyguardrail_sdk.cli.main import main  # noqa: E402
from tinyguardrail_sdk.errors import InputError  # noqa: E402
from tinyguardrail_sdk.training.data import claimed as claiming  # noqa: E402
from tinyguardrail_sdk.training.data.claimed import claimed  # noqa: E402
from tinyguardrail_sdk.training.data.kept import Journal  # noqa: E402
from tinyguardrail_sdk.training.data.publish import drafted, drafted_beside  # noqa: E402

pytestmark = [
    pytest.mark.train,
    pytest.mark.skipif(sys.platform == "win32", reason="no claims there"),
]

TAKEN = "another command is writing there"


@pytest.mark.parametrize(
    "command",
    [
        ["data", "generate", "--total", "120"],
        ["data", "split", "--pool", "ROWS"],
        ["data", "mix", "ROWS"],
        ["train", "--train", "ROWS", "--validation", "ROWS"],
        ["pipeline", "--preset", "tiny"],
    ],
    ids=lambda words: words[words[0] == "data"],
)
def test_a_second_command_is_refused(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out"
    rows.write_text(json.dumps({"text": "make tea", "label": "benign"}) + "\n", encoding="utf-8")
    words = [str(rows) if word == "ROWS" else word for word in command]
    with claimed(out):
        assert main([*words, "--output", str(out)]) == 2
    assert f"{out}: {TAKEN}; wait" in capsys.readouterr().err
    assert list(out.iterdir()) == []


def test_what_a_command_drafts_stays_while_it_is_at_work(tmp_path: Path) -> None:
    with drafted(tmp_path, "mix") as draft:
        (draft / "rows").touch()
        with pytest.raises(InputError, match=TAKEN), drafted(tmp_path, "mix"):
            pass
        assert (draft / "rows").exists()
    (tmp_path / ".mix-killed").mkdir()
    with drafted(tmp_path, "mix") as draft:
        assert list(tmp_path.iterdir()) == [draft]


def test_a_folder_is_made_by_one_command_at_a_time(tmp_path: Path) -> None:
    (tmp_path / ".new.draft" / "new" / "killed").mkdir(parents=True)
    with drafted_beside(tmp_path / "new") as made:
        made.mkdir()  # it was not there any more
        elsewhere = pytest.raises(InputError, match=f"{TAKEN}; .* another data.cache")
        with elsewhere, drafted_beside(tmp_path / "new", "data.cache"):
            pass
        made.rename(tmp_path / "new")
    assert list(tmp_path.rglob("*")) == [tmp_path / "new"]


@pytest.mark.parametrize("anew", [True, False], ids=["made anew", "gone"])
def test_a_folder_that_is_removed_while_it_is_claimed_is_claimed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anew: bool
) -> None:
    folder, claim, claims = tmp_path / "out", claiming.claim, []

    def late(opened: int, place: Path, setting: str) -> bool:
        claims.append(opened)
        if len(claims) == 1:  # the command that had it ends, and a third one may make it anew
            shutil.rmtree(folder)
            if anew:
                folder.mkdir()
        return claim(opened, place, setting)

    monkeypatch.setattr(claiming, "claim", late)
    with claimed(folder):
        assert len(claims) == 2
        with pytest.raises(InputError, match=TAKEN), claimed(folder):
            pass
    with claimed(folder):
        pass


def test_a_folder_that_never_stays_is_one_that_others_write_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    monkeypatch.setattr(claiming, "claim", lambda *_: folder.rmdir())
    with pytest.raises(InputError, match=TAKEN), claimed(folder):
        pass
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: None)  # it goes before it is opened
    with pytest.raises(InputError, match=TAKEN), claimed(folder):
        pass


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(FileExistsError), claimed(tmp_path / "out"):
        pass


def test_what_is_made_beside_a_folder_without_a_name_costs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "runs" / "work"
    work.mkdir(parents=True)
    (work / "bystander").touch()
    monkeypatch.chdir(work)
    for directory in ("..", "."):
        with drafted_beside(Path(directory)) as made:
            assert not made.exists()
    assert sorted(tmp_path.rglob("*")) == [work.parent, work, work / "bystander"]


def test_what_is_kept_is_of_one_command_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "results"
    with Journal(path, "a") as first, Journal(path, "a") as late:
        first.put(b"one")
        with pytest.raises(InputError, match=TAKEN):
            Journal(path, "a")
        with pytest.raises(InputError, match=TAKEN):
            late.put(b"two")
        first.put(b"three")
    with Journal(path, "a") as again:
        assert [again.take() for _ in range(3)] == [b"one", b"three", None]
