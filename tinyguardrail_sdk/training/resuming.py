"""What may change when a run goes on: how long, how watched, with what machine; not what it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.config import TrainConfig, from_dict
from tinyguardrail_sdk.training.settings import flat

# Anything else is either restored from the checkpoint, so that a new value would be ignored, or
# breaks the promise that a resumed run ends as if it had never stopped.
_MAY_CHANGE = frozenset(
    {
        "schedule.max_steps", "schedule.max_minutes", "schedule.epochs", "patience",
        "log_every", "tracker", "threads", "checkpoint_minutes", "data.workers",
        # Where things are: windows and vocabulary are told by their contents.
        "output", "data.cache", "data.vocab",
    }
)  # fmt: skip


def refuse_changes(config: TrainConfig, facts: Mapping[str, Any], processes: int) -> None:
    """Make sure that a resumed run is the one that was stopped.

    Args:
        config: What the run is told now.
        facts: `training.json` of the checkpoint.
        processes: How many processes train now.

    Raises:
        InputError: A field that must stay has changed, or the number of processes has.
    """
    before, now = (flat(c.to_dict()) for c in (from_dict(facts["config"]), config))
    for name in now:
        if name not in _MAY_CHANGE and now[name] != before[name]:
            raise InputError(
                f"{name} is {before[name]} in the run to resume and cannot become {now[name]}: "
                "leave it out, or start a new run from its weights with --init"
            )
    started = facts.get("processes", processes)
    if started != processes:
        raise InputError(
            f"the run to resume was made by {started} processes, not {processes}: launch it with "
            f"{started}, or start a new run from its weights with --init"
        )
