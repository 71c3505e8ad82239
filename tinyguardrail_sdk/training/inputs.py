"""Arguments that name something to read: looked at before anything heavy is imported."""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import CheckpointError, InputError
from tinyguardrail_sdk.labels import LABELS, Label
from tinyguardrail_sdk.manifest import MANIFEST_NAME, read_manifest
from tinyguardrail_sdk.training.data.jsonl import data_files, read_lines
from tinyguardrail_sdk.training.data.schema import read_examples
from tinyguardrail_sdk.training.run_files import FACTS, trained_weights

Check = Callable[[Path], None]
Reader = Callable[[Path], Iterable[object]]

_DATA_REMEDY = (
    "check the path, or make data with `tinyguardrail data generate --output data` "
    "(train, validation and test.jsonl.gz)"
)
_RUN_REMEDY = "check the path, or make a run with `tinyguardrail train --output runs/guard`"
_TRAIN = "train.jsonl.gz"
# Enough to see what a file holds; the rest is checked when it is read.
_FIRST_ROWS = 100

CLASSES_ONLY = f"label them {', '.join(LABELS)}, or leave them out"
HARMLESS_ONLY = "--benign takes harmless texts only; give texts of all classes as --validation"


def add_input(
    parser: argparse.ArgumentParser, *names: str, check: Check = lambda path: None, **options: Any
) -> None:
    """Add an argument that names a path, or several, which `check_inputs` will look at.

    Args:
        parser: Of the command.
        names: Of the argument.
        check: Raises `InputError` or `CheckpointError` for a path that is of no use.
        options: As of `add_argument`.
    """
    action = parser.add_argument(*names, type=Path, **options)
    shown = names[-1] if action.option_strings else str(action.metavar)
    known = parser.get_default("inputs") or ()
    parser.set_defaults(inputs=(*known, (action.dest, shown, check)))


def check_inputs(arguments: argparse.Namespace) -> None:
    """Look at every path that a command is to read.

    Raises:
        InputError: One is missing or of no use; the message names the argument and the remedy.
    """
    for dest, shown, check in getattr(arguments, "inputs", ()):
        given = getattr(arguments, dest)
        for path in given if isinstance(given, list) else [given]:
            if path is not None:
                look_at(path, shown, check)


def look_at(path: Path, shown: str, check: Check) -> None:
    """Let a check look at a path, and name the argument that it came from where it objects.

    Raises:
        InputError: The path is of no use.
    """
    try:
        check(path)
    except (InputError, CheckpointError) as error:
        raise InputError(f"{shown}: {error}") from None


def first_rows(path: Path, read: Reader) -> None:
    """Read the first rows of a file, or of every `.jsonl` and `.jsonl.gz` file in a folder.

    Args:
        path: The file or folder.
        read: Gives the rows of a file, and raises `InputError` for one that is of no use.

    Raises:
        InputError: There is no such path, it cannot be read, or one of these rows is of no use.
    """
    try:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder; {_DATA_REMEDY}")
        for file in stored_files([path]):
            deque(islice(read(file), _FIRST_ROWS), maxlen=0)
    except FileNotFoundError as error:
        raise InputError(f"{error}; {_DATA_REMEDY}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def stored_files(paths: Sequence[Path]) -> Iterator[Path]:
    """Those of `data_files` that can be read twice: what is taken out of a pipe is gone."""
    return (file for file in data_files(paths) if file.is_file())


def data(path: Path) -> None:
    """Labelled texts: a file, or a folder of files."""
    first_rows(path, read_lines)


def data_file(path: Path) -> None:
    """Texts to learn from, in one file."""
    if path.is_dir():
        data(path)  # an unreadable or empty folder is told first
        found = [file.name for file in data_files([path])]
        name = _TRAIN if _TRAIN in found else found[0]
        raise InputError(f"{path}: is a folder; give a file in it, such as {path / name}")
    first_rows(path, read_examples)


def classed(path: Path) -> None:
    """Texts of the four classes."""
    first_rows(path, lambda file: _labelled(file, LABELS, None, CLASSES_ONLY))


def harmless(path: Path) -> None:
    """Texts that are benign, whether they say so or not."""
    first_rows(path, lambda file: _labelled(file, (Label.BENIGN,), Label.BENIGN, HARMLESS_ONLY))


def _labelled(
    path: Path, known: Container[str], unstated: str | None, remedy: str
) -> Iterator[dict[str, Any]]:
    for number, row in read_lines(path, unstated):
        if row["label"] not in known:
            raise InputError(f"{path}, line {number}: label {row['label']!r}; {remedy}")
        yield row


def checkpoint(path: Path) -> None:
    """The folder of an exported checkpoint; its files are verified when they are used."""
    read_manifest(path)


def own_checkpoint(path: Path) -> None:
    """The folder of an exported checkpoint that must be given: the built-in one is no choice."""
    if not path.is_dir():
        raise InputError(
            f"{path}: no such checkpoint folder; check the path, or make one with "
            "`tinyguardrail export`"
        )
    checkpoint(path)


def averaged(path: Path) -> None:
    """Weights that a mean can be made of: trained ones, or an exported checkpoint."""
    if (path / MANIFEST_NAME).is_file():
        checkpoint(path)
    elif str(path) != "shipped":
        weights(path)


def run_folder(path: Path) -> None:
    """The folder of a training run."""
    if not path.is_dir():
        raise InputError(f"{path}: no such folder; {_RUN_REMEDY}")


def weights(path: Path) -> None:
    """A folder of trained weights in a run."""
    run_folder(path)
    if not (path / FACTS).is_file():
        found = trained_weights(path)
        hint = (
            f"give {found}"
            if found
            else f"a run has some from its first checkpoint on; {_RUN_REMEDY}"
        )
        raise InputError(f"{path}: holds no trained weights; {hint}")
