"""`pipeline.json`: the settings of a run, and of each stage what it read, wrote and told.

A stage is finished where its settings, the contents of what it read and those of what it wrote are
all as recorded. Other settings are refused: the files of two runs must not stand in one folder.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.settings import build, flat

# They say where and how fast, not what is made.
_MAY_CHANGE = frozenset(
    {
        "output", "workers", "train.threads", "train.data.workers", "train.data.cache",
        "train.log_every", "train.checkpoint_minutes", "train.tracker",
    }
)  # fmt: skip
ANEW = "give another --output, or begin anew with --restart"

Hashes = dict[str, str]


@dataclass
class Done:
    """A stage that was begun.

    Attributes:
        inputs: SHA-256 of the files it read, by name.
        outputs: SHA-256 of the files it wrote, by path in the run folder; empty until finished.
        result: What it told, as JSON types.
    """

    inputs: Hashes
    outputs: Hashes = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)


@dataclass
class State:
    """The memory of a run.

    Attributes:
        config: The whole configuration.
        stages: What was begun, by name.
    """

    config: dict[str, Any]
    stages: dict[str, Done] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write it whole, or leave what was there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        partial.replace(path)


def open_state(path: Path, config: Mapping[str, Any]) -> State:
    """Read the memory of a run, or begin one.

    Raises:
        InputError: The file is damaged, or the run was begun with another configuration; the
            message names the fields.
    """
    if not path.exists():
        return State(dict(config))
    try:
        state = build(State, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise InputError(f"{path}: damaged, or of another version; {ANEW}") from None
    before, now = flat(state.config), flat(config)
    changed = [
        f"{name} was {before.get(name)} and is {now.get(name)}"
        for name in sorted({*before, *now} - _MAY_CHANGE)
        if before.get(name) != now.get(name)
    ]
    if changed:
        raise InputError(f"{path.parent} holds another run: {'; '.join(changed)}. {ANEW}")
    return state


def hashes(paths: Sequence[Path], root: Path) -> Hashes:
    """SHA-256 of files and of all files in folders, by path in `root`, else by name and place.

    Raises:
        FileNotFoundError: There is no such file.
    """
    found: Hashes = {}
    for place, path in enumerate(paths):
        for file in _files(path):
            if file.is_relative_to(root):
                name = file.relative_to(root).as_posix()
            else:
                below = file.relative_to(path.parent).as_posix()
                name = f"{below} ({place + 1})"
            found[name] = _sha256(file)
    return found


def intact(done: Done, root: Path) -> bool:
    """Whether a stage was finished and all it wrote is still as it was."""
    try:
        now = {name: _sha256(root / name) for name in done.outputs}
    except (OSError, EOFError, zlib.error):  # gone, or damaged
        return False
    return bool(now) and now == done.outputs


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.is_file())
    else:
        yield path


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with _opened(path) as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def _opened(path: Path) -> IO[bytes]:
    # Unpacked: the header of a packed file holds the time at which it was written.
    if path.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path))
    return path.open("rb")
