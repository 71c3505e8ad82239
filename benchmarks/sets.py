"""Labelled sets on the command line of a benchmark: named, looked at, and cut short by draw."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training import inputs
from tinyguardrail_sdk.training.rows import Row


def add_data(parser: argparse.ArgumentParser) -> None:
    """Labelled texts, as `tinyguardrail evaluate` reads them."""
    inputs.add_input(
        parser,
        "--data",
        check=inputs.data,
        nargs="+",
        required=True,
        metavar="PATH",
        help="JSON lines and folders of them",
    )


def add_limit(parser: argparse.ArgumentParser) -> None:
    """How many texts of a set `limited` takes."""
    parser.add_argument("--limit", type=int, default=0, help="texts of a set, drawn; 0 all (0)")


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments; a path that is of no use ends the program with the remedy."""
    arguments = parser.parse_args()
    try:
        inputs.check_inputs(arguments)
    except InputError as error:
        parser.error(str(error))
    return arguments


def limited(rows: Sequence[Row], most: int, seed: int) -> tuple[list[Row], list[int]]:
    """Up to `most` rows of each set (0 all), in their order, and their numbers in it, from 1."""
    sets: dict[str, list[tuple[int, Row]]] = {}
    for row in rows:
        members = sets.setdefault(row.set, [])
        members.append((len(members) + 1, row))
    chosen: list[tuple[int, Row]] = []
    for name, members in sets.items():
        count = min(most, len(members)) if most else len(members)
        places = random.Random(f"{seed}:{name}").sample(range(len(members)), count)
        chosen += [members[place] for place in sorted(places)]
    return [row for _, row in chosen], [number for number, _ in chosen]
