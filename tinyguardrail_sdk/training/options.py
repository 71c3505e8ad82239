"""Arguments that several training commands take, and the words that they are written in."""

from __future__ import annotations

import argparse
from pathlib import Path

from tinyguardrail_sdk.labels import Mode, Route, Source
from tinyguardrail_sdk.training import inputs
from tinyguardrail_sdk.training.inputs import add_input


def add_scoring(parser: argparse.ArgumentParser) -> None:
    """What judges labelled texts, and how."""
    add_checkpoint(parser, "(default: built in)")
    add_source_map(parser)
    add_route(parser)
    add_workers(parser)


def add_source_map(parser: argparse.ArgumentParser) -> None:
    """Where the texts of sets come from."""
    parser.add_argument(
        "--source-map",
        type=name_and_source,
        action="append",
        default=[],
        metavar="SET=SOURCE",
        help="source of the texts of a set, * as wildcard (bipia*=document agentdojo*=tool, "
        "others user); may be repeated",
    )


def add_mutations(parser: argparse.ArgumentParser, text: str) -> None:
    """Which mutations, and the seed of their draw."""
    parser.add_argument(
        "--mutation", action="append", default=[], metavar="NAME", help=f"{text}; may be repeated"
    )
    add_seed(parser)


def add_checkpoint(parser: argparse.ArgumentParser, text: str, *, required: bool = False) -> None:
    """An exported checkpoint."""
    add_input(
        parser,
        "--checkpoint",
        check=inputs.own_checkpoint if required else inputs.checkpoint,
        required=required,
        metavar="DIR",
        help=text,
    )


def add_paths(parser: argparse.ArgumentParser) -> None:
    """Labelled texts."""
    add_input(
        parser,
        "paths",
        check=inputs.data,
        nargs="+",
        metavar="PATH",
        help="JSON lines and folders of them",
    )


def add_generated(parser: argparse.ArgumentParser) -> None:
    """A set that this package generated."""
    add_input(
        parser, "data", check=inputs.data_file, metavar="F", help="JSON lines of `data generate`"
    )


def add_output(
    parser: argparse.ArgumentParser, metavar: str, text: str = "to write", *, required: bool = True
) -> None:
    """The file or folder that a command writes."""
    parser.add_argument("--output", type=Path, required=required, metavar=metavar, help=text)


def add_result(parser: argparse.ArgumentParser) -> None:
    """A file for what a command shows."""
    add_output(parser, "F", "write the whole result as JSON", required=False)


def add_settings(parser: argparse.ArgumentParser, text: str) -> None:
    """A file of settings, words that set fields over it, and the list of them all."""
    parser.add_argument("--config", type=Path, metavar="F", help=text)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="set any field; may be repeated",
    )
    parser.add_argument(
        "--fields", action="store_true", help="list all fields and what they are set to; do nothing"
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Of all that a command draws."""
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="(default: 7)")


def add_workers(parser: argparse.ArgumentParser) -> None:
    """How many processes work."""
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes (default: 1)"
    )


def add_mode(parser: argparse.ArgumentParser) -> None:
    """Whose thresholds decide."""
    parser.add_argument(
        "--mode", type=Mode, default=Mode.BALANCED, choices=list(Mode), help="(default: balanced)"
    )


def add_route(parser: argparse.ArgumentParser) -> None:
    """Which branch answers."""
    parser.add_argument(
        "--route", choices=("routed", "fast", "deep"), default="routed", help="(default: routed)"
    )


def chosen_route(arguments: argparse.Namespace) -> Route | None:
    """The branch that answers; None as at run time."""
    return None if arguments.route == "routed" else Route(arguments.route)


def add_run(parser: argparse.ArgumentParser, text: str, *, required: bool) -> None:
    """A run folder, or trained weights in one where it is required."""
    add_input(
        parser,
        "--run",
        check=inputs.weights if required else inputs.run_folder,
        dest="folder",  # `run` is the command's function
        required=required,
        metavar="DIR",
        help=text,
    )


def mode_and_share(word: str) -> tuple[Mode, float]:
    """Read `strict=0.02`."""
    name, _, value = word.partition("=")
    try:
        return Mode(name), float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must look like {Mode.STRICT}=0.02") from None


def name_and_source(word: str) -> tuple[str, Source]:
    """Read `SET=document`."""
    name, _, value = word.partition("=")
    try:
        return name, Source(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must look like SET={Source.DOCUMENT}") from None
