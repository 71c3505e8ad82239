"""Dotted paths, from a client to its resources and methods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def found(client: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Yield the owner and the name of what is at a path: nothing where the version lacks it."""
    parent, _, name = path.rpartition(".")
    owner = _at(client, parent)
    if owner is not None and name in dir(owner):
        yield owner, name


def unknown(client: Any, known: set[str]) -> Iterator[str]:
    """Yield the paths of what is public beside known ones and beside what is above these."""
    parents = {parent for path in known for parent in _parents(path)}
    for parent in sorted(parents):
        owner = _at(client, parent)
        for name in dir(owner) if owner is not None else ():
            path = f"{parent}.{name}".lstrip(".")
            if not name.startswith("_") and path not in known and path not in parents:
                yield path


def _parents(path: str) -> Iterator[str]:
    """What stands above a path: the client itself, which is empty, and its resources."""
    names = path.split(".")
    return (".".join(names[:end]) for end in range(len(names)))


def _at(client: Any, path: str) -> Any:
    """What is at a path, or None."""
    for name in filter(None, path.split(".")):
        client = getattr(client, name, None)
    return client
