"""Sends the records of a run to the tracker that its configuration names, through `accelerate`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from accelerate import Accelerator

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training import INSTALL_REMEDY
from tinyguardrail_sdk.training.config import TrainConfig

# Not numbers to plot, or the axis itself.
_NO_SCALARS = {"kind", "step"}


def checked_tracker(name: str) -> str | None:
    """What `Accelerator(log_with=...)` takes.

    Raises:
        InputError: The tracker is not installed. (`accelerate` would go on without it in silence.)
    """
    if not name:
        return None
    if find_spec(name) is None:
        raise InputError(f"tracker={name} needs a package; leave it empty, or {INSTALL_REMEDY}")
    return name


def open_tracker(
    accelerator: Accelerator, config: TrainConfig, resumed_step: int | None
) -> Callable[[dict[str, Any]], None]:
    """Start the tracker, if the run has one; gives the function that logs a record.

    Args:
        accelerator: Of the run.
        config: Of the run.
        resumed_step: What the logs hold of later steps is dropped, as in `metrics.jsonl`.
    """
    if not config.tracker:
        return lambda record: None
    again = {} if resumed_step is None else {"purge_step": resumed_step + 1}
    # The name is that of a folder in the run folder.
    accelerator.init_trackers(config.tracker, init_kwargs={config.tracker: again})
    return lambda record: accelerator.log(
        dict(scalars(record, record["kind"])), step=record["step"]
    )


def close_trackers(accelerator: Accelerator) -> None:
    """Finish what `open_tracker` started."""
    for tracker in accelerator.trackers:
        tracker.finish()


def scalars(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    """Every number in a record, under the path of names that leads to it; lists are left out."""
    for name, value in values.items():
        path = f"{prefix}/{name}"
        if isinstance(value, Mapping):
            yield from scalars(value, path)
        elif isinstance(value, int | float) and name not in _NO_SCALARS:
            yield path, float(value)
