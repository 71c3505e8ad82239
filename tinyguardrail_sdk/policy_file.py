"""Settings of a policy as they lie in a file."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import PolicyError


def read_settings(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the settings in a `.toml` or `.json` file, unvalidated.

    Raises:
        PolicyError: The file cannot be read, is of another kind, or is damaged; names the file.
    """
    file = Path(path)
    readers = {".json": parse_json, ".toml": _parse_toml}
    if file.suffix not in readers:
        raise PolicyError(f"{file}: a policy is a .toml or a .json file")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise PolicyError(f"{file}: cannot be read ({error.strerror})") from None
    try:
        return readers[file.suffix](content)
    except PolicyError as error:
        raise PolicyError(f"{file}: {error}") from None


def parse_json(text: str | bytes) -> dict[str, Any]:
    """Read settings from JSON.

    Raises:
        PolicyError: It is no JSON object, or names a setting twice.
    """
    try:
        settings = json.loads(text, object_pairs_hook=_without_repeats)
    except ValueError as error:
        raise PolicyError(f"no JSON: {error}") from None
    if not isinstance(settings, dict):
        raise PolicyError("a policy is a JSON object")
    return settings


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    settings = dict(pairs)
    if len(settings) != len(pairs):
        raise ValueError("a setting stands there twice")
    return settings


def _parse_toml(content: bytes) -> dict[str, Any]:
    try:
        # By name: type checkers that target Python 3.10 do not know the module.
        tomllib = importlib.import_module("tomllib")
    except ModuleNotFoundError:
        raise PolicyError("TOML needs Python 3.11; write the policy as JSON") from None
    try:
        settings: dict[str, Any] = tomllib.loads(content.decode())
    except ValueError as error:
        raise PolicyError(f"no TOML: {error}") from None
    return settings
