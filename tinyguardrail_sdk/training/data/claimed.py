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
        raise InputError(
            f"{place}: another command is writing there; wait until it ends, or give another "
            f"{setting}"
        ) from None
    except OSError:
        return False
    return True


@contextmanager
def claimed(folder: Path, setting: str = "output") -> Iterator[bool]:
    """Keep other commands from a folder until the block ends; see `claim`.

    Args:
        folder: Made where it does not exist.
        setting: As of `claim`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":  # a folder cannot be opened there
        yield False
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        yield claim(opened, folder, setting)
    finally:
        os.close(opened)
