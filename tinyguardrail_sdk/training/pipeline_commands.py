"""What `pipeline` does; `pipeline_cli` says what it is called with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

from tinyguardrail_sdk.cli import INTERRUPTED
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training import INSTALL_REMEDY
from tinyguardrail_sdk.training.fields import print_fields, word
from tinyguardrail_sdk.training.pipeline.config import OWN_FIELDS, PipelineConfig
from tinyguardrail_sdk.training.preflight import pipeline_config
from tinyguardrail_sdk.training.reporter import print_json

if TYPE_CHECKING:
    from tinyguardrail_sdk.training.pipeline.stages import Stage

_DONE = 0
_MARGIN, _COLUMNS = " " * 4, 96


def pipeline(arguments: argparse.Namespace) -> int:
    """Run the stages that are not finished, or show the plan."""
    config = pipeline_config(arguments)
    try:
        from tinyguardrail_sdk.training.pipeline.run import run
    except ImportError as error:  # at once, not after hours of training
        raise InputError(f"the report needs {error.name}; {INSTALL_REMEDY}") from None
    if arguments.fields:
        print_fields(config.to_dict(), PipelineConfig, OWN_FIELDS)
        return _DONE
    if arguments.dry_run:
        return _show(config, arguments.restart)
    outcome = run(config, _say, restart=arguments.restart)
    print_json(outcome.to_dict())
    return INTERRUPTED if outcome.stopped else _DONE


def _show(config: PipelineConfig, restart: bool) -> int:
    """The plan: in words, and for programs."""
    from tinyguardrail_sdk.training.pipeline.run import plan

    shown = []
    stages = list(plan(config, restart=restart))
    for number, (stage, done) in enumerate(stages, 1):
        state = "finished" if done else "to do"
        _say(f"[{number}/{len(stages)}] {stage.name}: {state}")
        for line in _lines(stage):
            _say(_MARGIN + line)
        told = {"settings": stage.settings, "reads": stage.inputs, "writes": stage.outputs}
        shown.append({"stage": stage.name, "state": state, **told})
    print_json({"output": str(config.output), "plan": shown}, shown=True)
    return _DONE


def _lines(stage: Stage) -> Iterator[str]:
    """What it reads, what it writes, and its settings: as many words a line as fit, none broken."""
    for kind, paths in (("reads", stage.inputs), ("writes", stage.outputs)):
        if paths:
            yield f"{kind}: {'  '.join(map(str, paths))}"
    words = "  ".join(word(name, value) for name, value in stage.settings.items())
    yield from wrap(words, _COLUMNS, break_long_words=False, break_on_hyphens=False)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
