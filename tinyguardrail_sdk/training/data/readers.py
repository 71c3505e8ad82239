"""Records of data files: JSON lines, JSON, CSV, Parquet and YAML."""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, cast

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training import INSTALL_REMEDY

Record = dict[str, Any]

CATEGORY, ENTRY = "category", "text"  # fields of the records of a JSON object of lists


def require_reader(path: str) -> None:
    """Check that files like this can be read here.

    Raises:
        InputError: The ending is not known, or a package is missing; the message is the cure.
    """
    if _ending(path) == ".parquet":
        _parquet_module(path)


def read_records(path: Path, inside: str = "") -> Iterator[Record]:
    """Yield the records of a file.

    Args:
        path: The file; its ending says the format, `.gz` may follow.
        inside: Key of the list of records in a JSON or YAML object.

    Raises:
        InputError: It is not what its ending says; file and record are named.
    """
    reader = _READERS[_ending(path.name)]
    try:
        for number, record in enumerate(reader(path, inside), 1):
            if not isinstance(record, Mapping):
                raise InputError(f"{path.name}, record {number}: not an object with named fields")
            yield dict(record)
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{path.name}: damaged, fetch it again ({error})") from error


def _ending(name: str) -> str:
    ending = Path(name.removesuffix(".gz")).suffix.lower()
    if ending not in _READERS:
        raise InputError(f"{name}: the format is none of {', '.join(_READERS)}")
    return ending


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return cast("IO[str]", gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _json_lines(path: Path, inside: str) -> Iterator[Any]:
    with _open(path) as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise InputError(f"{path.name}, line {number}: not JSON ({error})") from error


def _json(path: Path, inside: str) -> Iterator[Any]:
    if _has_lines(path):
        yield from _json_lines(path, inside)
        return
    with _open(path) as file:
        try:
            whole = json.load(file)
        except UnicodeDecodeError:
            raise
        except ValueError as error:
            raise InputError(f"{path.name}: not JSON ({error})") from error
    yield from _listed(path, whole, inside)


def _has_lines(path: Path) -> bool:
    """Whether it is JSON lines by another name: an object in one line, and something behind it."""
    with _open(path) as file:
        first, second = file.readline(), file.readline()
    try:
        return bool(second.strip()) and isinstance(json.loads(first), dict)
    except ValueError:
        return False


def _yaml(path: Path, inside: str) -> Iterator[Any]:
    import yaml

    with _open(path) as file:
        try:
            whole = yaml.safe_load(file)
        except yaml.YAMLError as error:
            place = getattr(error, "problem_mark", None)
            line = f", line {place.line + 1}" if place else ""
            raise InputError(f"{path.name}{line}: not YAML") from error
    yield from _listed(path, whole, inside)


def _listed(path: Path, whole: Any, inside: str) -> Iterator[Any]:
    """The records of a list, of a list inside an object, or of an object of lists of strings.

    Of an object of objects, a record's name is its text.
    """
    if inside:
        whole = whole.get(inside) if isinstance(whole, dict) else None
    if isinstance(whole, list):
        yield from whole
    elif isinstance(whole, dict) and all(isinstance(value, list) for value in whole.values()):
        for category, entries in whole.items():
            yield from ({CATEGORY: category, ENTRY: entry} for entry in entries)
    elif isinstance(whole, dict) and all(isinstance(value, dict) for value in whole.values()):
        yield from ({**facts, ENTRY: text} for text, facts in whole.items())
    else:
        what = f"no list under {inside!r}" if inside else "no list of records"
        raise InputError(f"{path.name}: {what}")


def _csv(path: Path, inside: str) -> Iterator[Any]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a text may be longer than the default
    with _open(path) as file:
        reader = csv.DictReader(file)
        try:
            yield from reader
        except csv.Error as error:
            raise InputError(f"{path.name}, line {reader.line_num}: not CSV ({error})") from error


def _parquet(path: Path, inside: str) -> Iterator[Any]:
    parquet = _parquet_module(path.name)
    try:
        for batch in parquet.ParquetFile(path).iter_batches():
            yield from batch.to_pylist()
    except (OSError, ValueError) as error:  # what pyarrow raises for a damaged file
        raise InputError(f"{path.name}: not Parquet ({error})") from error


def _parquet_module(name: str) -> Any:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(f"{name} is Parquet, which needs pyarrow; {INSTALL_REMEDY}") from error
    return parquet


_READERS: Mapping[str, Callable[[Path, str], Iterator[Any]]] = MappingProxyType(
    {
        ".jsonl": _json_lines, ".json": _json, ".csv": _csv, ".parquet": _parquet,
        ".yaml": _yaml, ".yml": _yaml,
    }
)  # fmt: skip
