"""What is in files, by SHA-256; one that has not been touched since is not read again."""

from __future__ import annotations

import gzip
import hashlib
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from tinyguardrail_sdk.errors import InputError

Hashes = dict[str, str]

# A file may be written twice within one tick of the clock of its file system, which is 2 s at the
# coarsest. One that was touched so lately is hashed, and hashed again the next time.
_TICK_NS = 2_000_000_000


@dataclass(frozen=True)
class Seen:
    """A file when it was hashed.

    Attributes:
        size: Bytes.
        modified: Nanoseconds at which its contents changed, as the system says.
        changed: Nanoseconds at which anything about it changed; not to be set by hand, so that a
            file put in its place with an old date is noticed.
        sha256: Of its contents, unpacked.
    """

    size: int
    modified: int
    changed: int
    sha256: str


@dataclass
class Contents:
    """Hashes of files, remembered from run to run.

    Attributes:
        seen: What was hashed, by absolute path.
    """

    seen: dict[str, Seen] = field(default_factory=dict)

    def hashes(self, paths: Sequence[Path], root: Path) -> Hashes:
        """SHA-256 of files and of all files in folders, by path in `root`, else by name and place.

        Raises:
            FileNotFoundError: There is no such file.
            InputError: A packed file is damaged.
        """
        found: Hashes = {}
        for place, path in enumerate(paths):
            for file in _files(path):
                if file.is_relative_to(root):
                    name = file.relative_to(root).as_posix()
                else:
                    below = file.relative_to(path.parent).as_posix()
                    name = f"{below} ({place + 1})"
                found[name] = self.sha256(file)
        return found

    def unchanged(self, before: Mapping[str, str], root: Path) -> bool:
        """Whether files in `root`, at least one, are all there and as they were."""
        try:
            now = {name: self.sha256(root / name) for name in before}
        except (OSError, InputError):  # gone, or damaged
            return False
        return bool(now) and now == before

    def sha256(self, path: Path) -> str:
        """SHA-256 of a file; it is read where it was touched since it was read last.

        Raises:
            FileNotFoundError: There is no such file.
            InputError: It is packed and damaged.
        """
        status, name = path.stat(), str(path.absolute())
        touched = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        known = self.seen.get(name)
        if known and (known.size, known.modified, known.changed) == touched:
            return known.sha256
        now = time.time_ns()
        found = _read(path)
        if now - max(touched[1:]) > _TICK_NS:
            self.seen[name] = Seen(*touched, found)
        return found


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file())
    else:
        yield path


def _read(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with _opened(path) as file:
            while part := file.read(1 << 20):
                digest.update(part)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path}: damaged ({type(error).__name__}); write the file again"
        ) from None
    return digest.hexdigest()


def _opened(path: Path) -> IO[bytes]:
    # Unpacked: the header of a packed file holds the time at which it was written.
    if path.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path))
    return path.open("rb")
