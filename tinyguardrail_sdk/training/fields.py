"""What every field of a configuration is: its name, its default, and what its docstring says."""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from textwrap import indent
from typing import Any, get_type_hints

_WIDTH = 4  # of the indent under a field
_ATTRIBUTE = re.compile(r" {4}(\w+): ")


class ListFields(argparse.Action):
    """A flag that prints the fields of a configuration and exits, as `--help` does.

    Args:
        config: Module and class, `module:Class`; imported when the flag is given.
    """

    def __init__(
        self, option_strings: Sequence[str], dest: str, *, config: str, **options: Any
    ) -> None:
        super().__init__(option_strings, dest, nargs=0, **options)
        self._config = config

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print and exit."""
        module, name = self._config.split(":")
        kind = getattr(import_module(f"tinyguardrail_sdk.training.{module}"), name)
        sys.stdout.writelines(_shown(kind))
        parser.exit()


def _shown(kind: type[Any], prefix: str = "") -> Iterator[str]:
    """Each field as a line `name=default`, as `--set` takes it, and what it is below."""
    from tinyguardrail_sdk.training.settings import dump

    hints, texts, defaults = get_type_hints(kind), described(kind), dump(kind())
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            yield from _shown(hints[field.name], f"{prefix}{field.name}.")
            continue
        value = defaults[field.name]
        shown = value if isinstance(value, str) else json.dumps(value)
        yield f"{prefix}{field.name}={shown}\n{indent(texts[field.name], ' ' * _WIDTH)}\n"


def described(kind: type) -> dict[str, str]:
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
