"""The command that runs all stages; `pipeline_commands` does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyguardrail_sdk.training.dispatch import add_command
from tinyguardrail_sdk.training.options import add_output, add_settings
from tinyguardrail_sdk.training.pipeline.presets import PRESETS

if TYPE_CHECKING:
    from tinyguardrail_sdk.training.dispatch import Commands

_EPILOG = """\
examples:
  tinyguardrail pipeline --preset tiny --output runs/tiny          # half a minute, to see it work
  tinyguardrail pipeline --preset colab --output runs/guard
  tinyguardrail pipeline --preset large --output runs/large --set train.init=all_minilm_l6_v2
  tinyguardrail pipeline --config mine.toml --set data.inputs='["logs.jsonl"]' --dry-run

presets:
  colab  15,000 samples, 5 epochs, 16 windows x 4 micro-batches a step, adversarial from the
         beginning of epoch 3 on half of the micro-batches, quantisation-aware from that of epoch 4;
         from then on it stops after 3 validations without a better score
  large  140,000 samples, the same recipe, 5 validations
  tiny   600 samples, the same recipe on a network that is too small to be good

Every field can be set, in a JSON or TOML file or with --set: --fields lists them with what the
preset makes of them, --dry-run those that each stage goes by, and what it reads and writes. colab
and large go on from the shipped weights, tiny begins without any; train.init says otherwise.

The run folder holds data, audit.json, train, the checkpoint (export.name), evaluation,
comparison.json, report, final_metrics.json and pipeline.json. Run again, the command skips what is
finished and goes on with the rest, an interrupted training too; a run with other settings is
refused. Exit status: 0 when all is made (whether it is worse than what ships is in the result), 2
on failure, 130 when interrupted by Ctrl-C, or by SIGTERM in training; 143 by SIGTERM elsewhere.
"""


def add_pipeline_parser(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "pipeline",
        "pipeline_commands",
        help="from no data to a checkpoint and its report",
        description="Generate and audit data, train, export and calibrate, evaluate, compare with "
        "the built-in checkpoint, and write the report: one command, which can be stopped.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "--preset", default="colab", metavar="NAME", help=f"{', '.join(PRESETS)} (default: colab)"
    )
    add_settings(parser, "JSON or TOML, over the preset")
    add_output(parser, "DIR", "run folder (default: runs/pipeline)", required=False)
    parser.add_argument("--dry-run", action="store_true", help="show the stages and settings")
    parser.add_argument(
        "--restart", action="store_true", help="remove what an earlier run made there, begin anew"
    )
