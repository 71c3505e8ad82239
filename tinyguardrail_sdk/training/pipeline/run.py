"""Does the stages that are not finished, and remembers every one that is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.data.claimed import claimed
from tinyguardrail_sdk.training.pipeline.config import PipelineConfig
from tinyguardrail_sdk.training.pipeline.contents import Hashes
from tinyguardrail_sdk.training.pipeline.layout import Layout
from tinyguardrail_sdk.training.pipeline.stages import Stage, stages
from tinyguardrail_sdk.training.pipeline.state import (
    ANEW,
    Done,
    State,
    open_state,
)
from tinyguardrail_sdk.training.report.build import PAGE


@dataclass(frozen=True)
class Outcome:
    """How a pipeline ended.

    Attributes:
        layout: Where everything is.
        skipped: Whether a stage was finished before, by name; in order.
        results: What the stages told, by name.
        stopped: The stage that a signal interrupted; empty when all are finished.
    """

    layout: Layout
    skipped: dict[str, bool]
    results: dict[str, dict[str, Any]]
    stopped: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON types: paths and, when all are finished, figures and whether it is worse."""
        names = {True: "skipped", False: "done"}
        told: dict[str, Any] = {
            "output": str(self.layout.root),
            "stages": {name: names[skipped] for name, skipped in self.skipped.items()},
        }
        if self.stopped:
            return {**told, "interrupted": self.stopped}
        worse = self.results["compare"]["worse"]
        return {
            **told,
            "checkpoint": str(self.layout.checkpoint),
            "report": str(self.layout.report / PAGE),
            "final_metrics": str(self.layout.metrics),
            "metrics": self.results["evaluate"],
            "worse": worse,
            "worse_than_shipped": bool(worse),
        }


def plan(config: PipelineConfig, *, restart: bool = False) -> Iterator[tuple[Stage, bool]]:
    """The stages, and whether each is finished already; nothing is written.

    Raises:
        InputError: The run folder holds another run.
    """
    layout = Layout.of(config)
    layout.refuse_strangers()
    state = State({}) if restart else open_state(layout.state, config.to_dict())
    ahead = False
    for stage in stages(config, layout):
        ahead = ahead or not _finished(stage, state, layout)
        yield stage, not ahead


def run(config: PipelineConfig, say: Callable[[str], None], *, restart: bool = False) -> Outcome:
    """Do what is not finished yet.

    Args:
        config: What to make.
        say: Told a line when a stage begins, ends or is skipped.
        restart: First remove what an earlier run made in the folder.

    Raises:
        InputError: The run folder holds another run or something else, the data of a training
            have changed, a packed file is damaged, or another command is writing to the folder;
            besides, whatever the stages raise.
    """
    layout = Layout.of(config)
    layout.refuse_strangers()
    with claimed(layout.root):
        return _run(config, layout, say, restart)


def _run(
    config: PipelineConfig, layout: Layout, say: Callable[[str], None], restart: bool
) -> Outcome:
    if restart:
        layout.clear()
    state = open_state(layout.state, config.to_dict())
    state.save(layout.state)
    todo = stages(config, layout)
    skipped: dict[str, bool] = {}
    for number, stage in enumerate(todo, 1):
        prefix = f"[{number}/{len(todo)}] {stage.name}"
        try:
            if skip := _finished(stage, state, layout):
                say(f"{prefix}: finished and unchanged, skipped")
            else:
                say(f"{prefix}: begins")
                start = time.monotonic()
                result = _do(stage, config, state, layout)
                say(f"{prefix}: done in {time.monotonic() - start:.0f} s; {_line(result)}")
        except KeyboardInterrupt:
            say(f"{prefix}: interrupted; what is finished is kept, the same command goes on")
            return Outcome(layout, skipped, {}, stage.name)
        skipped[stage.name] = skip
    state.save(layout.state)  # what was hashed need not be the next time
    return Outcome(layout, skipped, {name: done.result for name, done in state.stages.items()})


def _finished(stage: Stage, state: State, layout: Layout) -> bool:
    done = state.stages.get(stage.name)
    if done is None:
        return False
    try:
        read = state.contents.hashes(stage.inputs, layout.root)
    except (FileNotFoundError, InputError):  # gone, or damaged: whoever does the stage tells
        return False
    return read == done.inputs and state.contents.unchanged(done.outputs, layout.root)


def _do(stage: Stage, config: PipelineConfig, state: State, layout: Layout) -> dict[str, Any]:
    read = state.contents.hashes(stage.inputs, layout.root)
    if stage.name == "train" and layout.run.steps():
        _refuse_other_data(state.stages.get(stage.name), read)
    state.stages[stage.name] = Done(read)
    state.save(layout.state)
    result = stage.do(config, layout)
    written = state.contents.hashes(stage.outputs, layout.root)
    state.stages[stage.name] = Done(read, written, result)
    state.save(layout.state)
    return result


def _refuse_other_data(begun: Done | None, read: Hashes) -> None:
    """A training goes on with the texts that it began with, and is never thrown away unasked."""
    before = {} if begun is None else begun.inputs
    if changed := [name for name in {**before, **read} if before.get(name) != read.get(name)]:
        raise InputError(f"changed since the training began: {', '.join(changed)}; {ANEW}")


def _line(result: dict[str, Any]) -> str:
    shown = (f"{name} {_word(value)}" for name, value in result.items())
    return ", ".join(shown)


def _word(value: Any) -> str:
    if isinstance(value, dict):  # a rate
        return f"{value['hits']}/{value['total']}"
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
