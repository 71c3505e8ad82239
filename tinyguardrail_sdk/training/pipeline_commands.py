"""What `pipeline` does; `pipeline_cli` says what it is called with."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from textwrap import fill
from typing import Any

from tinyguardrail_sdk.cli import INTERRUPTED
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training import INSTALL_COMMAND
from tinyguardrail_sdk.training.pipeline.config import PipelineConfig, load_pipeline
from tinyguardrail_sdk.training.reporter import print_json
from tinyguardrail_sdk.training.settings import flat

_DONE = 0
_STATES = {True: "finished", False: "to do"}


def pipeline(arguments: argparse.Namespace) -> int:
    """Run the stages that are not finished, or show the plan."""
    chosen = {} if arguments.output is None else {"output": str(arguments.output)}
    config = load_pipeline(arguments.preset, arguments.config, arguments.set, chosen)
    try:
        from tinyguardrail_sdk.training.pipeline.run import run
    except ImportError as error:  # at once, not after hours of training
        raise InputError(f"the report needs {error.name}; run: {INSTALL_COMMAND}") from None
    if arguments.dry_run:
        return _show(config, arguments.restart)
    outcome = run(config, _say, restart=arguments.restart)
    print_json(outcome.to_dict())
    return INTERRUPTED if outcome.stopped else _DONE


def _show(config: PipelineConfig, restart: bool) -> int:
    """The plan: as words on a terminal, elsewhere as the one line that programs read."""
    from tinyguardrail_sdk.training.pipeline.run import plan

    stages = list(plan(config, restart=restart))
    if sys.stdout.isatty():
        for number, (stage, done) in enumerate(stages, 1):
            sys.stdout.write(f"[{number}/{len(stages)}] {stage.name}: {_STATES[done]}\n")
            sys.stdout.write(_settings(stage.settings))
        return _DONE
    shown = [
        {"stage": stage.name, "state": _STATES[done], "settings": stage.settings}
        for stage, done in stages
    ]
    print_json({"output": str(config.output), "plan": shown})
    return _DONE


def _settings(settings: Mapping[str, Any]) -> str:
    words = (f"{name}={json.dumps(value)}" for name, value in flat(settings).items())
    margin = " " * 4
    return fill("  ".join(words), 100, initial_indent=margin, subsequent_indent=margin) + "\n"


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
