"""Fetching from a server on this machine: hashes, failures, the cache, licences."""

from __future__ import annotations

import errno
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

pytest.importorskip("datasketch")

from tests.training.homes import (  # noqa: E402
    ROWS,
    Answer,
    Home,
    fails,
    read,
    sends,
    settings,
    silent,
    toy,
)
from tinyguardrail_sdk.errors import GuardrailError, InputError  # noqa: E402
from tinyguardrail_sdk.training.data import fetch as fetching  # noqa: E402
from tinyguardrail_sdk.training.data import remote  # noqa: E402
from tinyguardrail_sdk.training.data.claimed import claimed  # noqa: E402
from tinyguardrail_sdk.training.data.dataset import RemoteFile  # noqa: E402
from tinyguardrail_sdk.training.data.fetch import fetch  # noqa: E402
from tinyguardrail_sdk.training.data.keyed import digest  # noqa: E402
from tinyguardrail_sdk.training.data.lockfile import LOCK  # noqa: E402
from tinyguardrail_sdk.training.data.remote import Patience, check_address  # noqa: E402

pytestmark = pytest.mark.train


def test_what_was_fetched_is_not_fetched_again_and_serves_without_a_network(
    home: Home, tmp_path: Path
) -> None:
    home.answers["/toy.jsonl"] = sends(ROWS)
    config = settings(tmp_path, toy(home))
    fetch(config, silent)
    home.answers["/toy.jsonl"] = fails(500)
    fetch(replace(config, offline=True, output=tmp_path / "again"), silent)

    assert home.asked == ["/toy.jsonl"]
    assert read(tmp_path / "again/toy.jsonl.gz") == read(tmp_path / "data/toy.jsonl.gz")
    with pytest.raises(GuardrailError, match="--cache DIR"):
        fetch(replace(config, offline=True, cache=tmp_path / "empty"), silent)


def test_the_published_hash_must_hold(home: Home, tmp_path: Path) -> None:
    home.answers["/toy.jsonl"] = sends(ROWS)
    right = settings(tmp_path / "right", toy(home, hashlib.sha256(ROWS).hexdigest()))
    assert fetch(right, silent)["trusted"] == []
    with pytest.raises(InputError, match="the catalogue says 0000"):
        fetch(settings(tmp_path / "wrong", toy(home, "0" * 64)), silent)
    assert not list((tmp_path / "wrong").rglob("*.jsonl*"))


def test_without_a_published_hash_the_first_one_counts(home: Home, tmp_path: Path) -> None:
    home.answers["/toy.jsonl"] = sends(ROWS)
    config = settings(tmp_path, toy(home))
    assert fetch(config, silent)["trusted"] == [f"{home.url}/toy.jsonl"]
    assert fetch(config, silent)["trusted"] == []
    lock = json.loads((tmp_path / "data" / LOCK).read_text())
    assert lock == {f"{home.url}/toy.jsonl": hashlib.sha256(ROWS).hexdigest()}

    home.answers["/toy.jsonl"] = sends(ROWS + b"\n")
    with pytest.raises(InputError, match=f"{LOCK} says {lock.popitem()[1]}"):
        fetch(replace(config, cache=tmp_path / "fresh"), silent)

    next((tmp_path / "cache").rglob("*.jsonl")).write_bytes(b"{}")  # damaged where it lies
    with pytest.raises(InputError, match="Delete the file"):
        fetch(config, silent)


def test_passing_failures_are_tried_again(home: Home, tmp_path: Path) -> None:
    broken = iter([fails(503), sends(ROWS[:-5], announced=len(ROWS)), sends(ROWS)])
    home.answers["/toy.jsonl"] = lambda handler: next(broken)(handler)
    config = settings(tmp_path, toy(home), patience=Patience(timeout=5, attempts=3, backoff=0))

    assert fetch(config, silent)["fetched"]["toy"]["rows"] == 2
    assert len(home.asked) == 3


def test_what_has_come_is_not_fetched_again(home: Home, tmp_path: Path) -> None:
    asked = []

    def breaks_off(handler: BaseHTTPRequestHandler) -> None:
        """After 40 bytes the first time; from the third on it has another version."""
        asked.append(wanted := handler.headers.get("Range", ""))
        first = int(wanted.removeprefix("bytes=").rstrip("-") or 0)
        handler.send_response(206 if wanted else 200)
        handler.send_header("ETag", '"new"' if len(asked) > 2 else '"old"')
        handler.send_header("Content-Length", str(len(ROWS) - first))
        if wanted:
            handler.send_header("Content-Range", f"bytes {first}-{len(ROWS) - 1}/{len(ROWS)}")
        handler.end_headers()
        handler.wfile.write(ROWS[first : 40 if len(asked) == 1 else None])

    home.answers["/toy.jsonl"] = breaks_off
    once = settings(tmp_path, toy(home), patience=Patience(timeout=5, attempts=1, backoff=0))
    with pytest.raises(GuardrailError, match="40 of"):
        fetch(once, silent)
    assert fetch(once, silent)["trusted"]  # a later command
    (kept,) = (path for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert kept.read_bytes() == ROWS

    kept.rename(kept.with_name(f"{kept.name}.new.{'0' * 16}.part"))  # of neither version
    again = replace(once, patience=Patience(timeout=5, attempts=3, backoff=0))
    assert fetch(again, silent)["fetched"]["toy"]["rows"] == 2
    assert asked == ["", "bytes=40-", f"bytes={len(ROWS)}-", ""]


def breaks_off_once(
    home: Home, told: str, meanwhile: Callable[[], None] = lambda: None
) -> list[str]:
    """Send 40 bytes first, and the rest under that `Content-Range`; return what is asked for."""
    asked = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(wanted := handler.headers.get("Range", ""))
        rest = ROWS[40:] if wanted else ROWS
        handler.send_response(206 if wanted else 200)
        handler.send_header("ETag", '"one"')
        handler.send_header("Content-Length", str(len(rest)))
        if wanted:
            meanwhile()
            handler.send_header("Content-Range", told)
        handler.end_headers()
        handler.wfile.write(rest[: 40 if len(asked) == 1 else None])

    home.answers["/toy.jsonl"] = answer
    return asked


@pytest.mark.parametrize(
    "told",
    [
        f"bytes 30-{len(ROWS) - 1}/{len(ROWS)}",
        f"bytes 40-{len(ROWS) - 2}/{len(ROWS)}",
        f"bytes 40-{len(ROWS) - 1}/*",
        "",
    ],
    ids=["from elsewhere", "not to the end", "of unknown length", "untold"],
)
def test_what_is_not_the_rest_is_not_put_behind_what_has_come(
    told: str, home: Home, tmp_path: Path
) -> None:
    asked = breaks_off_once(home, told)
    three = settings(tmp_path, toy(home), patience=Patience(timeout=5, attempts=3, backoff=0))
    assert fetch(three, silent)["fetched"]["toy"]["rows"] == 2
    assert asked == ["", "bytes=40-", ""]
    (kept,) = (path for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert kept.read_bytes() == ROWS


def test_what_grew_meanwhile_is_fetched_anew(home: Home, tmp_path: Path) -> None:
    def grow() -> None:
        with next((tmp_path / "cache").rglob("*.part")).open("ab") as part:
            part.write(ROWS[40:50])

    asked = breaks_off_once(home, f"bytes 40-{len(ROWS) - 1}/{len(ROWS)}", grow)
    three = settings(tmp_path, toy(home), patience=Patience(timeout=5, attempts=3, backoff=0))
    assert fetch(three, silent)["fetched"]["toy"]["rows"] == 2
    assert asked == ["", "bytes=40-", ""]


@pytest.mark.skipif(sys.platform == "win32", reason="no claims there")
def test_what_another_command_fetches_is_left_alone(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(tmp_path, toy(home))
    place = tmp_path / "cache" / "toy" / f"{digest(home.url):016x}"
    place.mkdir(parents=True)
    names = ("toy.jsonl.new", "toy.jsonl.new.part", f"toy.jsonl.new.{'0' * 16}.part")
    for name in names:
        (place / name).touch()
    with claimed(place), pytest.raises(InputError, match=r"writing there; .* another cache"):
        fetch(config, silent)
    assert {path.name for path in place.iterdir()} == set(names)
    assert home.asked == []

    @contextmanager
    def ends(folder: Path, setting: str) -> Iterator[bool]:
        (folder / "toy.jsonl").write_bytes(ROWS)
        yield True

    monkeypatch.setattr(fetching, "claimed", ends)  # the other command ends in between
    assert fetch(config, silent)["fetched"]["toy"]["rows"] == 2
    assert home.asked == []


@pytest.mark.parametrize(
    ("answer", "message", "tries"),
    [
        (fails(404), "404 .*not at its home any more", 1),
        (sends(ROWS[:40], len(ROWS)), f"40 of {len(ROWS)} bytes", 2),
        (lambda _: time.sleep(0.6), r"timed out \(2 tries\).*--offline", 2),
    ],
    ids=["gone", "ends early", "says nothing"],
)
def test_what_does_not_come_whole_is_named_and_never_kept(
    answer: Answer, message: str, tries: int, home: Home, tmp_path: Path
) -> None:
    home.answers["/toy.jsonl"] = answer
    with pytest.raises(GuardrailError, match=message):
        fetch(settings(tmp_path, toy(home)), silent)
    assert len(home.asked) == tries
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EDQUOT])
def test_a_full_disk_is_not_taken_for_a_bad_network(
    code: int, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(code, "no space left")

    home.answers["/toy.jsonl"] = sends(ROWS)
    monkeypatch.setattr(remote, "_store", full)
    with pytest.raises(OSError, match="no space left"):
        fetch(settings(tmp_path, toy(home)), silent)
    assert len(home.asked) == 1


def test_no_server_names_the_way_round(home: Home, tmp_path: Path) -> None:
    with pytest.raises(GuardrailError, match="Is there a network"):  # nobody listens there
        fetch(settings(tmp_path, toy(home, base="http://127.0.0.1:9")), silent)


def test_a_file_may_not_be_larger_than_allowed(home: Home, tmp_path: Path) -> None:
    for announced in (len(ROWS), -1):  # the second time the header says nothing of the size
        home.answers["/toy.jsonl"] = sends(ROWS, announced)
        config = settings(tmp_path, toy(home), patience=Patience(most_bytes=50))
        with pytest.raises(InputError, match="larger than 50 bytes"):
            fetch(config, silent)


def test_a_home_with_a_login_names_the_place_for_the_file(home: Home, tmp_path: Path) -> None:
    home.answers["/toy.jsonl"] = fails(401)
    for dataset in (toy(home), toy(home, gated=True)):
        with pytest.raises(GuardrailError, match="in a browser, save it as .*toy.jsonl") as caught:
            fetch(settings(tmp_path, dataset), silent)
    place = Path(str(caught.value).split("save it as ")[1].split(", and run")[0])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(ROWS)
    assert fetch(settings(tmp_path, dataset), silent)["fetched"]["toy"]["rows"] == 2


def test_only_https_leaves_this_machine(home: Home, tmp_path: Path) -> None:
    for url in ("http://example.org/a", "ftp://example.org/a", "file:///etc/hosts", "https:///a"):
        with pytest.raises(InputError, match="only https"):
            check_address(url)

    def redirects(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "http://example.org/toy.jsonl")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    home.answers["/toy.jsonl"] = redirects
    with pytest.raises(InputError, match="only https"):
        fetch(settings(tmp_path, toy(home)), silent)


def test_terms_must_be_asked_for(home: Home, tmp_path: Path) -> None:
    home.answers["/toy.jsonl"] = sends(ROWS)
    config = settings(tmp_path, toy(home, terms="non-commercial"))
    with pytest.raises(InputError, match="add --terms non-commercial"):
        fetch(config, silent)
    assert fetch(replace(config, names=("all",)), silent)["fetched"] == {}
    fetch(replace(config, terms=frozenset({"non-commercial"})), silent)
    assert {row["terms"] for row in read(tmp_path / "data/toy.jsonl.gz")} == {"non-commercial"}
    with pytest.raises(InputError, match="no licence group"):
        replace(config, terms=frozenset({"free"}))


def test_one_failure_among_several_does_not_stop_the_others(home: Home, tmp_path: Path) -> None:
    home.answers |= {"/toy.jsonl": sends(ROWS), "/other.jsonl": fails(404)}
    both = (toy(home, name="other", files=(RemoteFile("other.jsonl"),)), toy(home))
    result = fetch(settings(tmp_path, both[1], names=("all",), catalogue=both), silent)
    assert list(result["fetched"]) == ["toy"]
    assert "404" in result["failed"]["other"]
