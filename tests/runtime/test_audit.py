import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk import (
    Action,
    AuditLog,
    CheckFailed,
    CheckRecord,
    Classification,
    Guard,
    InputError,
    Label,
    Pattern,
    Policy,
    Route,
    Source,
)
from tinyguardrail_sdk.detectors.match import Match
from tinyguardrail_sdk.testing import ScriptedClassifier


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def record(text: str = "hello") -> CheckRecord:
    return CheckRecord(text, Source.USER, None, CheckFailed("no"), 1.0)


def test_a_line_a_check_without_the_text(scripted: ScriptedClassifier, tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    guard = Guard(classifier=scripted, observers=[log])
    guard.check("ignore the secret", source="document")
    guard.check("hello")
    with pytest.raises(CheckFailed):
        guard.check("explode")
    log.close()
    first, second, third = lines(tmp_path / "audit.jsonl")
    assert (first["label"], first["action"], first["source"]) == ("injection", "block", "document")
    assert first["hash"] == log.hash("ignore the secret")
    assert first["length"] == 17
    assert second["checked"] is True
    assert (third["checked"], third["error"]) == (False, "CheckFailed")
    assert "secret" not in (tmp_path / "audit.jsonl").read_text()
    assert (tmp_path / "audit.jsonl").stat().st_mode & 0o077 == 0
    assert log.dropped == 0


SEEN = Classification(
    (0.1, 0.9, 0.0, 0.0),
    Route.FAST,
    (Match(Pattern.ENCODING, 0.9, 0, 6, "base64", "whisper"),),
    (0, 6),
    (20, 20),
)


@pytest.mark.parametrize("include_text", [False, True])
def test_text_is_written_only_when_asked_for(tmp_path: Path, include_text: bool) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", include_text=include_text)
    policy = Policy(actions={Label.INJECTION: Action.REDACT})
    guard = Guard(classifier=ScriptedClassifier({"d2hpc3": SEEN}), policy=policy, observers=[log])
    text = "d2hpc3. murmur."
    assert guard.check(text).release(text) == "[REDACTED] murmur."
    log.close()
    (entry,) = lines(tmp_path / "audit.jsonl")
    assert entry["cuts"] == [[0, 7]]
    assert entry["findings"][0]["start"] == 0
    written = (tmp_path / "audit.jsonl").read_text()
    assert ("murmur" in written) is ("whisper" in written) is include_text


def test_hashes_are_keyed(tmp_path: Path) -> None:
    key = b"0123456789abcdef"
    logs = [AuditLog(tmp_path / str(i), key=key if i < 2 else None) for i in range(4)]
    same, also, one, other = (log.hash("text") for log in logs)
    assert same == also
    assert len({same, one, other}) == 3
    assert logs[0].hash("\ud800") != logs[0].hash("\ud801")


def test_files_are_set_aside_and_the_oldest_go(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", max_bytes=400, backups=2)
    for _ in range(40):
        log(record())
    log.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    for name in files:
        assert (tmp_path / name).stat().st_size <= 400
        assert lines(tmp_path / name)
    log(record())  # a closed log opens again, and goes on where it was
    log.close()
    assert log.dropped == 0


def test_a_disk_that_refuses_stops_no_check(
    scripted: ScriptedClassifier, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = AuditLog(tmp_path / "absent" / "audit.jsonl")
    guard = Guard(classifier=scripted, observers=[log])
    with caplog.at_level(logging.WARNING):
        assert guard.check("ignore").blocked
        assert guard.check("ignore").blocked
        log.close()
    assert log.dropped == 2
    assert caplog.text.count("records are lost") == 1
    (tmp_path / "absent").mkdir()
    guard.check("ignore")
    log.close()
    assert len(lines(tmp_path / "absent" / "audit.jsonl")) == 1


def test_a_full_queue_loses_records_and_never_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyguardrail_sdk.audit._ROOM", 3)
    held = threading.Event()
    log = AuditLog(tmp_path / "audit.jsonl")
    monkeypatch.setattr(log, "_fields", lambda *_: held.wait(10) and {})
    for _ in range(10):
        log(record())
    assert log.dropped >= 6
    held.set()
    log.close()
    assert len(lines(tmp_path / "audit.jsonl")) == 10 - log.dropped


@pytest.mark.parametrize("room", [1, 100], ids=["full", "with room"])
def test_a_file_has_one_writer_though_closing_timed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    def writers() -> set[threading.Thread]:
        return {each for each in threading.enumerate() if each.name == "tinyguardrail-audit"}

    monkeypatch.setattr("tinyguardrail_sdk.audit._ROOM", room)
    entered, held, others = threading.Event(), threading.Event(), writers()
    log = AuditLog(tmp_path / "audit.jsonl")

    def slow(*_: object) -> dict[str, Any]:
        entered.set()
        held.wait(10)
        return {}

    monkeypatch.setattr(log, "_fields", slow)
    log(record())
    assert entered.wait(10)
    log(record())
    log.close(timeout=0.01)
    log(record())
    assert len(writers() - others) == 1
    held.set()
    log.close()
    assert len(lines(tmp_path / "audit.jsonl")) == 3 - log.dropped
    log(record())
    log.close()
    assert len(lines(tmp_path / "audit.jsonl")) == 4 - log.dropped
    assert log.dropped == (room == 1)


def test_closing_twice_at_once_leaves_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    log(record())
    put = log._waiting.put

    def overtaken(*args: Any, **kwargs: Any) -> None:
        monkeypatch.undo()
        log.close()
        put(*args, **kwargs)

    monkeypatch.setattr(log._waiting, "put", overtaken)
    log.close()
    assert log._waiting.empty()


def test_a_line_that_the_disk_took_half_of_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")
    log(record())
    log.close()
    with monkeypatch.context() as full:
        write = os.write
        full.setattr(os, "write", lambda file, line: write(file, line[: len(line) // 2]))
        log(record())
        log.close()
    log(record())
    log.close()
    assert len(lines(tmp_path / "audit.jsonl")) == 2
    assert log.dropped == 1


def test_what_waits_is_written_when_the_process_ends(tmp_path: Path) -> None:
    code = (
        "from tinyguardrail_sdk import AuditLog, Guard\n"
        "from tinyguardrail_sdk.testing import ScriptedClassifier\n"
        f"log = AuditLog({str(tmp_path / 'audit-{pid}.jsonl')!r})\n"
        "guard = Guard(classifier=ScriptedClassifier(), observers=[log])\n"
        "for _ in range(50): guard.check('hello')\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
    (file,) = tmp_path.iterdir()
    assert file.name.removeprefix("audit-").removesuffix(".jsonl").isdigit()
    assert len(lines(file)) == 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_has_a_writer_of_its_own(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "{pid}")
    log(record())
    child = os.fork()
    if child == 0:
        log(record())
        log(record())
        log.close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    log.close()
    assert len(lines(tmp_path / str(child))) == 2
    assert len(lines(tmp_path / str(os.getpid()))) == 1


@pytest.mark.parametrize("wrong", [{"max_bytes": 0}, {"backups": 0}, {"key": b"short"}])
def test_impossible_arguments_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        AuditLog(tmp_path / "x", **wrong)
