"""The commands that mine texts with a checkpoint; `mining_commands` does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyguardrail_sdk.training.dispatch import add_command
from tinyguardrail_sdk.training.options import (
    add_checkpoint,
    add_generated,
    add_mutations,
    add_output,
    add_route,
    add_seed,
    add_workers,
)

if TYPE_CHECKING:
    from tinyguardrail_sdk.training.dispatch import Commands

_MODULE = "mining_commands"


def add_mining_parsers(commands: Commands) -> None:
    """Add the commands to those of `data`."""
    _add_mine(commands)
    _add_mutate(commands)


def _add_mine(commands: Commands) -> None:
    parser = add_command(
        commands,
        "mine",
        _MODULE,
        help="keep what a checkpoint does not know yet",
        description="Score a training set with an exported checkpoint; keep the texts that it gets "
        "wrong or is not sure of, and a share of the others.",
    )
    add_generated(parser)
    add_output(parser, "F")
    add_checkpoint(parser, "(default: built in)")
    parser.add_argument(
        "--sure", type=float, default=0.95, metavar="P", help="known from this probability (0.95)"
    )
    parser.add_argument(
        "--keep-known", type=float, default=0.25, metavar="P", help="share of them kept (0.25)"
    )
    add_seed(parser)
    add_route(parser)
    add_workers(parser)


def _add_mutate(commands: Commands) -> None:
    parser = add_command(
        commands,
        "mutate",
        _MODULE,
        help="write mutated copies of attacks",
        description="Mutate attacks, and a share of the benign texts, in ways that keep what they "
        "are. With a checkpoint, keep only mutants that it gets wrong: attacks that get through, "
        "benign texts that it flags.",
    )
    add_generated(parser)
    add_output(parser, "F")
    add_checkpoint(parser, "exported; judges mutants")
    parser.add_argument(
        "--only-missed", action="store_true", help="let the built-in checkpoint judge them"
    )
    parser.add_argument("--variants", type=int, default=2, metavar="N", help="of a text (2)")
    parser.add_argument(
        "--benign-share", type=float, default=0.25, metavar="P", help="mutated too (0.25)"
    )
    add_mutations(parser, "draw from these alone")
    add_workers(parser)
