"""`pipeline.json`: the settings of a run, and of each stage what it read, wrote and told.

A stage is finished where its settings, the contents of what it read and those of what it wrote are
all as recorded. Other settings are refused: the files of two runs must not stand in one folder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.data.jsonl import write_json
from tinyguardrail_sdk.training.pipeline.contents import Contents, Hashes
from tinyguardrail_sdk.training.settings import build, flat

# They say where and how fast, not what is made.
_MAY_CHANGE = frozenset(
    {
        "output", "workers", "train.threads", "train.data.workers", "train.data.cache",
        "train.log_every", "train.checkpoint_minutes", "train.tracker",
    }
)  # fmt: skip
ANEW = "give another --output, or begin anew with --restart"


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
        contents: Of the files that they read and wrote.
    """

    config: dict[str, Any]
    stages: dict[str, Done] = field(default_factory=dict)
    contents: Contents = field(default_factory=Contents)

    def save(self, path: Path) -> None:
        """Write it whole, or leave what was there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, asdict(self))


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
