"""A place that one command writes to, closed to others until it ends.

The system keeps a claim with the open file: however a command ends, a kill included, it is let go.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinyguardrail_sdk.errors import InputError

_TRIES = 10


def claim(opened: int, place: Path, setting: str = "output") -> bool:
    """Keep other commands from a file or folder for as long as it is open here.

    Args:
        opened: Its descriptor.
        place: What an error names.
        setting: What a user gives another one of, to be elsewhere.

    Returns:
        Whether they are kept from it: Windows has no such claims, and some network drives neither.

    Raises:
        InputError: Another command has it.
    """
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _taken(place, setting) from None
    except OSError:
        return False
    return True


@contextmanager
def claimed(folder: Path, setting: str = "output") -> Iterator[bool]:
    """Keep other commands from a folder until the block ends; see `claim`.

    Args:
        folder: Made where it does not exist; the block may remove it as the last thing it does.
        setting: As of `claim`.

    Yields:
        Whether they are kept from it.

    Raises:
        InputError: Another command has it.
    """
    if sys.platform == "win32":  # a folder cannot be opened there
        folder.mkdir(parents=True, exist_ok=True)
        yield False
        return
    for _ in range(_TRIES):
        with _opened(folder) as opened:
            if opened is None:
                continue
            alone = claim(opened, folder, setting)
            if _is_there(folder, opened):
                yield alone
                return
    raise _taken(folder, setting)


@contextmanager
def _opened(folder: Path) -> Iterator[int | None]:
    """A folder's descriptor; None where another command removes the folder at that moment."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = os.open(folder, os.O_RDONLY)
    except (FileNotFoundError, FileExistsError):
        if folder.exists() and not folder.is_dir():
            raise
        yield None
        return
    try:
        yield opened
    finally:
        os.close(opened)


def _is_there(folder: Path, opened: int) -> bool:
    """Whether what was opened is what others would open now, and not the removed one."""
    try:
        return os.path.samestat(os.fstat(opened), folder.stat())
    except FileNotFoundError:
        return False


def _taken(place: Path, setting: str) -> InputError:
    return InputError(
        f"{place}: another command is writing there; wait until it ends, or give another {setting}"
    )
