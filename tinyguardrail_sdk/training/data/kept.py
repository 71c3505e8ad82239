"""Results of a long work, kept on disk until what they are for is written.

A command that was interrupted, even killed, reads back what it had and does only the rest. Every
work has a file: first a key of all that its results follow from, then the results in order, each
with its number, length and checksum. Reading ends at the first that is not whole; where the key is
another one, nothing is taken.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import sys
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.manifest import hash_of
from tinyguardrail_sdk.training.data.claimed import claim

_HEAD = struct.Struct("<QII")  # number, length and CRC-32 of what follows
_PACKING = 1  # zlib's fastest level: texts shrink to a third


def _silent(line: str) -> None:
    pass


@dataclass(frozen=True)
class Kept:
    """Where the results of a command's works are.

    Attributes:
        folder: One file a work, made with its first result; None keeps nothing.
        say: Told a line where results are taken up, or left because they are of something else.
        name: Of the work.
    """

    folder: Path | None = None
    say: Callable[[str], None] = _silent
    name: str = "results"

    def named(self, name: str) -> Kept:
        """The same place for another work of the command."""
        return replace(self, name=name)

    def journal(self, key: Callable[[], str]) -> Journal:
        """The journal of the work.

        Args:
            key: Makes the key of all that the results follow from (`key_of`).
        """
        if self.folder is None:
            return Journal()
        path = self.folder / self.name
        journal = Journal(path, key())
        if journal.resumed:
            self.say(f"goes on with what is kept in {self.folder} since it was interrupted")
        elif path.exists():
            self.say(
                "begins anew: data, settings or code are not those of the interrupted run that "
                f"left {self.folder}"
            )
        return journal

    def results(
        self, key: Callable[[], str], rest: Callable[[int], Generator[Any, None, None]]
    ) -> Generator[Any, None, None]:
        """The results of a work in order, JSON types without tuples.

        Args:
            key: As of `journal`.
            rest: Makes those from a number on.
        """
        if self.folder is None:
            yield from rest(0)
            return
        with self.journal(key) as journal:
            done = 0
            while (record := journal.take()) is not None:
                yield json.loads(zlib.decompress(record))
                done += 1
            with closing(rest(done)) as results:
                for result in results:
                    journal.put(zlib.compress(json.dumps(result).encode(), _PACKING))
                    yield result


NOTHING = Kept()


@contextmanager
def keeping(folder: Path | None, say: Callable[[str], None] = _silent) -> Iterator[Kept]:
    """Keep the results of works in a folder until the block ends; an error leaves them there."""
    yield Kept(folder, say)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def unfinished(output: Path | None) -> Path | None:
    """The folder for what is kept until a file or folder is written.

    None where there is no output, or nothing can stand beside it: it is a pipe or device, or in a
    folder that may not be written.
    """
    if output is None or (output.exists() and not (output.is_file() or output.is_dir())):
        return None
    place = output.absolute()  # of `.`, too, there is a name
    if place.parent.exists() and not os.access(place.parent, os.W_OK):
        return None
    return place.parent / f".{place.name}.unfinished"


class Journal:
    """Records in a file: first those that are there are taken, then others put behind them.

    Args:
        path: Of the file; None keeps nothing.
        key: Of what the records follow from.

    Attributes:
        resumed: Whether the file holds records of that key.

    Raises:
        InputError: Another command has the file open.
    """

    def __init__(self, path: Path | None = None, key: str = "") -> None:
        self._path, self._key = path, key.encode()
        self._number = 0  # of the next record; the first one is the key
        self._file: IO[bytes] | None = None
        self.resumed = False
        if path is not None and path.exists():
            self._file = _claimed(path, "r+b")
            self.resumed = self.take() == self._key
            if not self.resumed:
                self.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; nothing can be taken any more."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._number = 0

    def take(self) -> bytes | None:
        """The next record; None when all are taken. Only then may others be put."""
        if self._file is None:
            return None
        end = self._file.tell()
        head = self._file.read(_HEAD.size)
        number, length, checksum = _HEAD.unpack(head) if len(head) == _HEAD.size else (-1, 0, 0)
        record = self._file.read(length)
        if (number, len(record), zlib.crc32(record)) != (self._number, length, checksum):
            self._file.seek(end)
            self._file.truncate()  # what was being written when it was killed
            return None
        self._number += 1
        return record

    def put(self, record: bytes) -> None:
        """Write a record behind those that were taken.

        Raises:
            InputError: Another command has opened the file first.
            OSError: It could not be written, whole at least; those before it are.
        """
        if self._path is None:
            return
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _claimed(self._path, "a+b")
            self._file.truncate(0)  # not while it was opened: it might have been another command's
            self._write(self._key)
        self._write(record)

    def _write(self, record: bytes) -> None:
        assert self._file is not None
        self._file.write(_HEAD.pack(self._number, len(record), zlib.crc32(record)) + record)
        self._file.flush()
        self._number += 1


def _claimed(path: Path, mode: str) -> IO[bytes]:
    file: IO[bytes] = path.open(mode)
    try:
        claim(file.fileno(), path.parent)
    except InputError:
        file.close()
        raise
    return file


def key_of(told: Any, files: Iterable[Path] = ()) -> str:
    """A key of settings, of the contents of files, and of the code that makes results of them.

    Args:
        told: JSON types; dataclasses, sets, paths and members of enumerations too.
        files: What is read.

    Raises:
        FileNotFoundError: A file does not exist.
    """
    facts = [told, [(str(path), hash_of(path)) for path in files], _code()]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return sorted(map(str, value)) if isinstance(value, Set) else str(value)


@cache
def _code() -> str:
    """Of all of this package that results may depend on, and of what computes them."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {np.__version__}".encode())
    package = Path(__file__).parents[2]
    for path in sorted(p for p in package.rglob("*") if p.suffix in (".py", ".txt")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
