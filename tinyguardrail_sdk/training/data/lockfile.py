"""`fetch.lock.json`: which bytes a fetch was made from.

A file without a published SHA-256 is trusted on first use: what comes first is recorded, and from
then on nothing else is accepted. Keep the lock file with the data, and under version control.
"""

from __future__ import annotations

import json
from pathlib import Path

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.manifest import hash_of
from tinyguardrail_sdk.training.data.jsonl import write_json

LOCK = "fetch.lock.json"


class LockFile:
    """SHA-256 by address.

    Args:
        folder: Of the data; a missing lock file is an empty one.

    Attributes:
        trusted: Addresses of the files that were recorded as they came, since nobody published
            their hash.

    Raises:
        InputError: The lock file is not one.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK
        self._known: dict[str, str] = {}
        self.trusted: list[str] = []
        if self._path.exists():
            try:
                self._known = dict(json.loads(self._path.read_text(encoding="utf-8")))
            except (ValueError, TypeError) as error:
                raise InputError(
                    f"{self._path} is damaged: restore it, or delete it to trust anew"
                ) from error

    def verify(self, url: str, path: Path, published: str | None) -> None:
        """Check a file, and record its hash.

        Args:
            url: Where it is from.
            path: Where it lies.
            published: Hash that the catalogue states.

        Raises:
            InputError: It is another file than the one on record.
        """
        found = hash_of(path)
        for expected, where in ((published, "the catalogue"), (self._known.get(url), LOCK)):
            if expected is not None and found != expected:
                raise InputError(
                    f"{url}: SHA-256 of {path} is {found}, but {where} says {expected}: do not "
                    f"use it. {_REMEDIES[where]}"
                )
        if url not in self._known:
            self._known[url] = found
            self._write()
            if published is None:
                self.trusted.append(url)

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._path, dict(sorted(self._known.items())))


_REMEDIES = {
    "the catalogue": "Delete the file and fetch again; if it stays so, its home has changed.",
    LOCK: "Delete the file and fetch again; if its home is known to have changed for a good "
    "reason, delete its line from the lock file too.",
}
