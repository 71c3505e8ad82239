"""The training commands of `tinyguardrail`; what is heavy is imported when a command runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tinyguardrail_sdk.training import inputs
from tinyguardrail_sdk.training.data_cli import add_data_parsers
from tinyguardrail_sdk.training.dispatch import add_command as _command
from tinyguardrail_sdk.training.inputs import add_input
from tinyguardrail_sdk.training.mining_cli import add_mining_parsers
from tinyguardrail_sdk.training.options import (
    add_checkpoint,
    add_mode,
    add_mutations,
    add_output,
    add_paths,
    add_result,
    add_route,
    add_run,
    add_scoring,
    add_settings,
    add_workers,
    mode_and_share,
)
from tinyguardrail_sdk.training.pipeline_cli import add_pipeline_parser

if TYPE_CHECKING:
    from tinyguardrail_sdk.training.dispatch import Commands

_TRAIN_EPILOG = """\
examples:
  tinyguardrail train --train data/train.jsonl.gz --validation data/validation.jsonl.gz \\
      --init all_minilm_l6_v2 --output runs/guard --max-minutes 240
  tinyguardrail train --from shipped --train mine.jsonl --validation mine_validation.jsonl
  tinyguardrail train --config run.toml --set optimizer.lr=1e-4
  tinyguardrail train --resume --output runs/guard

Every field of the configuration can be set: --set section.field=value; --fields lists them.
--resume takes the configuration of the run it continues; only its length, patience, logging,
threads and workers may then be set anew.
Ctrl-C finishes the step, saves, and exits with status 130; so does SIGTERM.
"""


def add_parsers(commands: Commands) -> None:
    """Add the training commands to the command line."""
    data = commands.add_parser("data", help="make, fetch, mix and audit training data")
    data_commands = data.add_subparsers(metavar="COMMAND", required=True)
    add_mining_parsers(data_commands)
    add_data_parsers(data_commands)
    add_pipeline_parser(commands)
    _add_train(commands)
    _add_average(commands)
    _add_export(commands)
    _add_calibrate(commands)
    _add_evaluate(commands)
    _add_robustness(commands)
    _add_compare(commands)
    _add_report(commands)


def _add_train(commands: Commands) -> None:
    parser = _command(
        commands,
        "train",
        help="train a network",
        description="Train both branches and the router; keep what validates best.",
        epilog=_TRAIN_EPILOG,
    )
    add_settings(parser, "JSON or TOML file")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    for name, text in (
        ("train", "examples to learn from (JSON lines); may be repeated"),
        ("validation", "examples for model choice; may be repeated"),
    ):
        parser.add_argument(f"--{name}", type=Path, action="append", metavar="F", help=text)
    add_output(parser, "DIR", "run folder (default: runs/guard)", required=False)
    parser.add_argument(
        "--vocab", type=Path, metavar="F", help="WordPiece vocabulary (default: built in)"
    )
    parser.add_argument(
        "--init",
        "--from",
        metavar="BASE",
        help="weights to start from: shipped, a checkpoint, a pretrained base, or scratch "
        "(default: scratch)",
    )
    parser.add_argument(
        "--max-minutes", type=float, metavar="M", help="wall-clock budget (default: none)"
    )
    parser.add_argument(
        "--max-steps",
        type=int,
        metavar="N",
        help="optimiser steps (default: as many as --epochs are)",
    )
    parser.add_argument(
        "--epochs", type=float, metavar="N", help="passes over the data (default: 3)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="(default: 20)")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (default: all)")


def _add_average(commands: Commands) -> None:
    parser = _command(
        commands,
        "average",
        help="the mean of the weights of checkpoints",
        description="Write the mean of the weights of two checkpoints or more, of one network and "
        "vocabulary, as a run folder: its `best` is exported, or gone on from, like any other. "
        "Whether it is better than the best of them, only validation texts tell.",
    )
    add_input(
        parser,
        "paths",
        check=inputs.averaged,
        nargs="+",
        metavar="CHECKPOINT",
        help="trained weights, such as runs/guard/best; behind the first also an exported "
        "checkpoint, or shipped",
    )
    parser.add_argument(
        "--share",
        type=float,
        metavar="P",
        help="of the first, the others have the rest in equal parts (default: all alike)",
    )
    add_output(parser, "DIR", "run folder to write")


def _add_export(commands: Commands) -> None:
    parser = _command(
        commands,
        "export",
        help="write the INT8 checkpoint",
        description="Write trained weights as the INT8 checkpoint folder that the runtime loads. "
        "Thresholds are neutral until `calibrate` fits them. With --release it is calibrated on "
        "the run's validation texts and compared with the built-in checkpoint, and written only "
        "if it is not worse.",
    )
    add_run(parser, "trained weights, such as runs/guard/best", required=True)
    add_output(parser, "DIR")
    parser.add_argument(
        "--model-version", default="0.0.0", metavar="V", help="reported by verdicts (0.0.0)"
    )
    parser.add_argument(
        "--four-bit", action="store_true", help="experts and token table in 4 bits: a third smaller"
    )
    parser.add_argument("--release", action="store_true", help="calibrate, compare, then write")
    parser.add_argument(
        "--allow-worse", action="store_true", help="release a worse one all the same"
    )
    add_workers(parser)


def _add_calibrate(commands: Commands) -> None:
    parser = _command(
        commands,
        "calibrate",
        help="fit temperature and thresholds",
        description="Fit temperature, routing dials and thresholds on validation texts, and write "
        "them into the manifest of an exported checkpoint. Or, with --benign, only thresholds, on "
        "harmless texts of your own.",
    )
    add_checkpoint(parser, "exported", required=True)
    _add_fitted_on(parser)
    _add_targets(parser)
    add_workers(parser)


def _add_fitted_on(parser: argparse.ArgumentParser) -> None:
    add_input(
        parser,
        "--validation",
        check=inputs.classed,
        action="append",
        default=[],
        metavar="F",
        help="labelled texts to fit on (JSON lines); may be repeated",
    )
    add_input(
        parser,
        "--benign",
        check=inputs.harmless,
        action="append",
        default=[],
        metavar="F",
        help="your own harmless traffic, JSON lines with text and, if not from users, source; "
        "fits thresholds only; may be repeated",
    )


def _add_targets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target-fpr",
        type=float,
        metavar="P",
        help="share of benign texts that mode balanced may flag; strict gets 2.5 times, "
        "permissive a quarter of it, unless --target says otherwise",
    )
    parser.add_argument(
        "--fast-share", type=float, metavar="P", help="texts answered by the fast branch (0.7)"
    )
    parser.add_argument(
        "--most-escalated", type=float, metavar="P", help="most texts that run both (0.12)"
    )
    parser.add_argument(
        "--target",
        type=mode_and_share,
        action="append",
        default=[],
        metavar="MODE=P",
        help="share of benign texts that a mode may flag (strict=0.02 balanced=0.008 "
        "permissive=0.002)",
    )
    parser.add_argument(
        "--floor",
        type=mode_and_share,
        action="append",
        default=[],
        metavar="MODE=P",
        help="lowest threshold of a mode (strict=0.1 balanced=0.3 permissive=0.5)",
    )


def _add_evaluate(commands: Commands) -> None:
    parser = _command(
        commands,
        "evaluate",
        help="measure a checkpoint",
        description="Score labelled JSON lines with an exported checkpoint, as it is.",
    )
    add_paths(parser)
    add_scoring(parser)
    add_result(parser)


def _add_report(commands: Commands) -> None:
    parser = _command(
        commands,
        "report",
        help="write figures, pictures and one HTML page",
        description="Show how a run learned, what an exported checkpoint does on labelled JSON "
        "lines, or both: final_metrics.json, PNG files, and report.html, which needs no other.",
    )
    add_run(parser, "run folder, such as runs/guard", required=False)
    add_input(
        parser,
        "--data",
        check=inputs.data,
        nargs="+",
        action="extend",
        metavar="F",
        help="to score; also folders",
    )
    add_scoring(parser)
    add_output(parser, "DIR")


def _add_compare(commands: Commands) -> None:
    parser = _command(
        commands,
        "compare",
        help="whether a checkpoint is worse than another",
        description="Judge a set with two checkpoints, text by text. Exit status 1 where the new "
        "one is worse in any group of texts by more than chance explains.",
    )
    add_input(
        parser,
        "checkpoint",
        check=inputs.own_checkpoint,
        metavar="NEW",
        help="exported and calibrated",
    )
    add_input(
        parser,
        "--against",
        check=inputs.checkpoint,
        metavar="DIR",
        help="checkpoint to compare with (built in)",
    )
    add_input(
        parser,
        "--data",
        check=inputs.data,
        action="append",
        metavar="PATH",
        help="labelled texts, or a folder of sets (default: the built-in regression set); may be "
        "repeated",
    )
    add_mode(parser)
    add_workers(parser)
    add_result(parser)


def _add_robustness(commands: Commands) -> None:
    parser = _command(
        commands,
        "robustness",
        help="measure a checkpoint under mutations",
        description="Mutate labelled texts. Of the attacks caught as they are, count those still "
        "caught under each mutation; and count benign texts flagged under it.",
    )
    add_paths(parser)
    add_checkpoint(parser, "(default: built in)")
    add_mutations(parser, "instead of the usual ones")
    parser.add_argument(
        "--texts",
        type=int,
        default=100,
        metavar="N",
        help="of attacks and benign each; 0 all (100)",
    )
    add_mode(parser)
    add_route(parser)
    add_workers(parser)
    add_result(parser)
