"""A set of several files takes the place of another one, and what is between the two is told.

Files can be moved to their place one at a time only. While some are still those of the earlier set,
a marker stands beside them, and whoever begins to read in between is told. Who began before, and
reads one file after the other, may still get files of both.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.data.claimed import claimed

_MARKER = ".half-written"


@contextmanager
def drafted(output: Path, name: str) -> Iterator[Path]:
    """A folder in that of a set, to make it in, while no other command writes to that.

    Args:
        output: Folder of the set; made where it does not exist.
        name: Of the command. What killed runs of that name left there goes too.

    Yields:
        The folder; it goes when the block ends.

    Raises:
        InputError: Another command is writing to `output`.
    """
    with claimed(output) as alone:
        if alone:  # else they may be those of a run that goes on
            for left_over in output.glob(f".{name}-*"):
                shutil.rmtree(left_over, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=output, prefix=f".{name}-") as folder:
            yield Path(folder)


@contextmanager
def drafted_beside(directory: Path, setting: str = "output") -> Iterator[Path]:
    """Where to make a folder that is then renamed, while no other command makes it.

    Args:
        directory: What it will be, the name included; whether it is there already, look within
            the block: the command that was making it may just have ended.
        setting: What a user gives another one of, to be elsewhere.

    Yields:
        A path beside it, which does not exist: what a killed run left there goes.

    Raises:
        InputError: Another command is making it.
    """
    directory = Path(os.path.abspath(directory))  # the name of ".." is no name
    beside = directory.parent / f".{directory.name}.draft"
    with claimed(beside, setting):
        try:
            made = beside / directory.name
            shutil.rmtree(made, ignore_errors=True)
            yield made
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def publish(folder: Path, output: Path, names: Sequence[str], stale: Sequence[str] = ()) -> None:
    """Move the files of a set to their place.

    Args:
        folder: Where they are whole, on the same disk.
        output: Where they are to be.
        names: Of the files.
        stale: Files of an earlier set that this one does not have; removed.
    """
    marker = output / _MARKER
    marker.touch()
    for name in names:
        (folder / name).replace(output / name)
    for name in stale:
        (output / name).unlink(missing_ok=True)
    marker.unlink()


def refuse_half_written(folder: Path) -> None:
    """Refuse to read from a folder in which one set has not wholly taken the place of another.

    Raises:
        InputError: It is such a folder.
    """
    if (folder / _MARKER).exists():
        raise InputError(
            f"{folder}: holds files of two sets, since writing them was interrupted; run again "
            "what was writing there (`data generate --overwrite`, `data split --overwrite`, "
            "`data mix`), or delete the folder"
        )
