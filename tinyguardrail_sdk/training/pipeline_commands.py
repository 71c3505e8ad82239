"""What `pipeline` does; `pipeline_cli` says what it is called with."""

from __future__ import annotations

import argparse
import json
import sys

from tinyguardrail_sdk.cli import INTERRUPTED
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training import INSTALL_COMMAND
from tinyguardrail_sdk.training.pipeline.config import PipelineConfig, load_pipeline
from tinyguardrail_sdk.training.reporter import print_json

_DONE = 0


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
    from tinyguardrail_sdk.training.pipeline.run import plan

    shown = []
    for stage, finished in plan(config, restart=restart):
        state = "finished" if finished else "to do"
        _say(f"{stage.name}: {state}; {json.dumps(stage.settings)}")
        shown.append({"stage": stage.name, "state": state, "settings": stage.settings})
    print_json({"output": str(config.output), "plan": shown})
    return _DONE


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
