"""A log of what was decided, for auditors: JSON lines that name texts by a keyed hash.

guard = Guard(observers=[AuditLog("audit.jsonl")])
"""

from __future__ import annotations

import atexit
import errno
import hashlib
import json
import logging
import os
import queue
import secrets
import threading
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.forking import renew_after_fork
from tinyguardrail_sdk.record import CheckRecord

if TYPE_CHECKING:
    from tinyguardrail_sdk.verdict import Finding, Verdict

_log = logging.getLogger("tinyguardrail_sdk")

_HASH_BYTES = 16
_ROOM = 10_000  # records that may wait for the disk
_CLOSE_SECONDS = 5.0

_Entry = tuple[float, CheckRecord]


class AuditLog:
    """Writes one JSON line for every check, from a thread of its own.

    An observer of checks: pass it to `Guard(observers=[...])`. A check never waits for it and never
    fails because of it: when the disk is too slow or refuses, records are lost and counted in
    `dropped`, and a warning is logged. What waits is written when the process ends normally.

    Args:
        path: The file. `{pid}` in it becomes the process id: processes must not share a file.
        max_bytes: The file is set aside before it grows beyond this, and a new one begun.
        backups: Files set aside that are kept, as `path.1` (the newest), `path.2` and so on.
        include_text: Also write the checked text, and what detectors decoded from it.
        key: Key of the hashes, 16 to 64 bytes, so that texts can be recognised across processes. By
            default a random one: hashes agree within one process and say nothing outside it.

    Attributes:
        dropped: Records lost so far.

    Raises:
        InputError: An impossible argument.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_bytes: int = 10_000_000,
        backups: int = 5,
        include_text: bool = False,
        key: bytes | None = None,
    ) -> None:
        if max_bytes < 1 or backups < 1:
            raise InputError("max_bytes and backups must be integers from 1 on")
        if key is not None and not 16 <= len(key) <= hashlib.blake2b.MAX_KEY_SIZE:
            raise InputError("key must have 16 to 64 bytes, such as secrets.token_bytes(32)")
        self._path = os.fspath(path)
        self._max_bytes, self._backups = max_bytes, backups
        self._include_text = include_text
        self._key = secrets.token_bytes(32) if key is None else key
        self.dropped = 0
        self._writer: threading.Thread | None = None
        self._lock = threading.Lock()
        self._waiting: queue.Queue[_Entry | threading.Event] = queue.Queue(_ROOM)
        _instances.add(self)
        renew_after_fork(self)

    def __call__(self, record: CheckRecord) -> None:
        """Take a record; returns at once."""
        try:
            self._waiting.put_nowait((time.time(), record))
        except queue.Full:
            self._lost("is too slow")
            return
        self._have_writer()

    def hash(self, text: str) -> str:
        """The name of a text in this log, to look it up: 32 hexadecimal digits."""
        content = text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, digest_size=_HASH_BYTES, key=self._key).hexdigest()

    def close(self, timeout: float = _CLOSE_SECONDS) -> None:
        """Write what waits, and let the file go; a later record reopens it.

        Args:
            timeout: Seconds to wait at most. What is not written by then is written afterwards, if
                the process lives on.
        """
        with self._lock:
            if self._writer is None:
                return
        written, until = threading.Event(), time.monotonic() + timeout
        try:
            self._waiting.put(written, timeout=timeout)
        except queue.Full:
            return
        self._have_writer()
        written.wait(until - time.monotonic())

    def _have_writer(self) -> None:
        # After something was put and under the lock: a writer that finds nothing waiting ends.
        with self._lock:
            if self._writer is None:
                # A daemon, for a log must not keep a process alive; `close` runs at its end.
                self._writer = threading.Thread(
                    target=self._write_all, name="tinyguardrail-audit", daemon=True
                )
                self._writer.start()

    def _write_all(self) -> None:
        file = _RotatingFile(self._path.replace("{pid}", str(os.getpid())))
        while True:
            entry = self._waiting.get()
            if isinstance(entry, threading.Event):
                file.close()
                entry.set()
                with self._lock:
                    # One writer a file: while more is waiting, this one goes on.
                    if self._waiting.empty():
                        self._writer = None
                        return
                continue
            try:
                line = json.dumps(self._fields(*entry)) + "\n"
                file.write(line.encode(), self._max_bytes, self._backups)
            except Exception as error:
                file.close()  # the next record tries anew
                self._lost(f"cannot be written ({type(error).__name__})")

    def _fields(self, when: float, record: CheckRecord) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "time": round(when, 3),
            "source": str(record.source),
            "hash": self.hash(record.text),
            "length": len(record.text),
            "latency_ms": round(record.latency_ms, 3),
        }
        if self._include_text:
            fields["text"] = record.text
        if record.verdict is None:
            return fields | {"checked": False, "error": type(record.error).__name__}
        return fields | self._verdict_fields(record.verdict)

    def _verdict_fields(self, verdict: Verdict) -> dict[str, Any]:
        fields = verdict.to_dict()
        redaction = fields.pop("redaction", None)
        if redaction is not None:
            fields["cuts"] = redaction["cuts"]
        for name in ("latency_ms", "bits"):
            del fields[name]
        fields["findings"] = [self._finding_fields(finding) for finding in verdict.findings]
        return fields

    def _finding_fields(self, finding: Finding) -> dict[str, Any]:
        fields = finding.to_dict()
        if not self._include_text:
            # The reasons of custom detectors are the host's, and may quote the text.
            del fields["decoded"], fields["reason"]
        return fields

    def _lost(self, why: str) -> None:
        self.dropped += 1
        if self.dropped == 1:  # once: whoever wants the count reads `dropped`
            _log.warning("the audit log %s; records are lost", why)

    def renew(self) -> None:
        """Begin anew in a forked child: the parent's thread writes what waits."""
        self.dropped, self._writer = 0, None
        self._lock, self._waiting = threading.Lock(), queue.Queue(_ROOM)


class _RotatingFile:
    """A file that lines are added to; opened by the first."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._descriptor: int | None = None
        self._size = 0

    def write(self, line: bytes, max_bytes: int, backups: int) -> None:
        if self._descriptor is None:
            self._open()
        if self._size and self._size + len(line) > max_bytes:
            self._set_aside(backups)
        assert self._descriptor is not None
        if os.write(self._descriptor, line) < len(line):  # the disk is full
            os.ftruncate(self._descriptor, self._size)  # the next line must not go on with this one
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += len(line)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> None:
        # For the owner alone; whole lines in one call, so that a crash leaves no half of one.
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _set_aside(self, backups: int) -> None:
        self.close()
        for number in range(backups - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))
        self._open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


_instances: weakref.WeakSet[AuditLog] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for log in list(_instances):
        log.close()
