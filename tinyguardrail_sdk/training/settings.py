"""Typed settings out of files and `section.field=value` words; errors name field and fix."""

from __future__ import annotations

import dataclasses
import difflib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from tinyguardrail_sdk.errors import InputError

T = TypeVar("T")


def build(kind: type[T], values: Mapping[str, Any]) -> T:
    """Build a dataclass from nested mappings; what they leave out keeps its default.

    Raises:
        InputError: A field is unknown or has a senseless value; the message names it and the fix.
    """
    _refuse_unknown(values, kind, "")
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "tuple_type":
            message = f'{first["input"]!r} is no list; give one, such as ["{first["input"]}"]'
        raise InputError(f"{where}: {message}" if where else message) from None


def dump(value: object) -> dict[str, Any]:
    """A dataclass as JSON types."""
    dumped: dict[str, Any] = TypeAdapter(type(value)).dump_python(value, mode="json")
    return dumped


def read_values(path: Path) -> dict[str, Any]:
    """Read nested values from a `.json` or `.toml` file.

    Raises:
        InputError: The file cannot be read, or holds something else.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except IsADirectoryError:
        raise InputError(f"config {path}: is a folder; give a .json or .toml file") from None
    except OSError as error:
        raise InputError(f"config {path}: cannot be read ({error.strerror})") from None
    try:
        values = _parse_toml(content) if path.suffix == ".toml" else json.loads(content)
    except ValueError as error:
        raise InputError(f"config {path}: {error}") from None
    if not isinstance(values, dict):
        raise InputError(f"config {path}: must hold an object with the fields of the configuration")
    return values


def override(values: dict[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Apply words such as `optimizer.lr=1e-4`; the value is JSON, or plain text where it is not.

    Raises:
        InputError: A word has another form, or goes below a field that is no section.
    """
    for word in overrides:
        name, separator, value = word.partition("=")
        if not separator:
            raise InputError(f"override {word!r} must look like section.field=value")
        _assign(values, name.strip().split("."), _parse(value))
    return values


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Nested values with those of `over` in place of the ones in `base`, section by section."""
    merged = {
        name: merge(value, {}) if isinstance(value, Mapping) else value
        for name, value in base.items()
    }
    for name, value in over.items():
        below = merged.get(name)
        if isinstance(below, dict) and isinstance(value, Mapping):
            value = merge(below, value)
        merged[name] = value
    return merged


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values by their dotted names."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def _parse_toml(content: str) -> dict[str, Any]:
    if sys.version_info < (3, 11):
        raise InputError("TOML needs Python 3.11 or newer: write the same fields as JSON")
    import tomllib

    return tomllib.loads(content)


def _parse(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _assign(values: dict[str, Any], names: list[str], value: Any) -> None:
    for name in names[:-1]:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise InputError(f"{name} is not a section: it has no field {names[-1]}")
    values[names[-1]] = value


def _refuse_unknown(values: Mapping[str, Any], kind: type, prefix: str) -> None:
    hints = get_type_hints(kind)
    known = [item.name for item in dataclasses.fields(kind)]
    for name, value in values.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, 1) or list(_below(kind, name))
            meant = " or ".join(f"{prefix}{one}" for one in close)
            fix = f"did you mean {meant}?" if close else f"known: {', '.join(known)}"
            raise InputError(f"unknown field {prefix}{name}; {fix}")
        if isinstance(value, Mapping) and dataclasses.is_dataclass(hints[name]):
            _refuse_unknown(value, hints[name], f"{prefix}{name}.")


def _below(kind: type, name: str) -> Iterator[str]:
    """Dotted names of the fields of this name in the sections of a dataclass."""
    hints = get_type_hints(kind)
    for item in dataclasses.fields(kind):
        if not dataclasses.is_dataclass(hints[item.name]):
            continue
        section: Any = hints[item.name]
        if name in {field.name for field in dataclasses.fields(section)}:
            yield f"{item.name}.{name}"
        yield from (f"{item.name}.{found}" for found in _below(section, name))
