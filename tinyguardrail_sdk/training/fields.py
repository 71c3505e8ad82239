"""What every field of a configuration is: its name, its value, and what its docstring says."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from textwrap import indent
from typing import Any, get_type_hints

_INDENT = " " * 4
_ATTRIBUTE = re.compile(rf"{_INDENT}(\w+): ")


def print_fields(
    values: Mapping[str, Any], config: type[Any], left_out: Collection[str] = ()
) -> None:
    """List the fields of a configuration on stdout, each as `--set` takes it.

    Args:
        values: Of the fields, as JSON types, section in section.
        config: The dataclass; its docstring and those of its sections say what the fields are.
        left_out: Dotted names of fields that are not to be set.
    """
    sys.stdout.writelines(
        f"{word(name, value)}\n{indent(text, _INDENT)}\n"
        for name, value, text in _fields(values, config)
        if name not in left_out
    )


def word(name: str, value: Any) -> str:
    """A field as `--set` takes it."""
    return f"{name}={value if isinstance(value, str) else json.dumps(value, separators=(',', ':'))}"


def described(kind: type[Any]) -> dict[str, str]:
    """What the section `Attributes` of a class's docstring says of each, lines as they are."""
    _, _, section = (inspect.getdoc(kind) or "").partition("\nAttributes:\n")
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in section.splitlines():
        if match := _ATTRIBUTE.match(line):
            lines = found.setdefault(match[1], [])
            line = line[match.end() :]
        elif not line.startswith(" "):  # the next section
            break
        lines.append(line.strip())
    return {name: "\n".join(lines) for name, lines in found.items()}


def _fields(
    values: Mapping[str, Any], kind: type[Any], prefix: str = ""
) -> Iterator[tuple[str, Any, str]]:
    hints, texts = get_type_hints(kind), described(kind)
    for field in dataclasses.fields(kind):
        name = f"{prefix}{field.name}"
        if dataclasses.is_dataclass(hints[field.name]):
            yield from _fields(values[field.name], hints[field.name], f"{name}.")
        else:
            yield name, values[field.name], texts.get(field.name, "")
