"""The commands that fetch, mix and audit data; those that need a checkpoint are in `mining_cli`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyguardrail_sdk.training import inputs
from tinyguardrail_sdk.training.data.proportions import DEFAULT_TOTAL
from tinyguardrail_sdk.training.dispatch import add_command
from tinyguardrail_sdk.training.inputs import add_input
from tinyguardrail_sdk.training.options import (
    add_output,
    add_paths,
    add_result,
    add_seed,
    add_workers,
)

if TYPE_CHECKING:
    from tinyguardrail_sdk.training.dispatch import Commands

_MODULE = "data_commands"

_FETCH_EPILOG = """\
examples:
  tinyguardrail data fetch --list
  tinyguardrail data fetch deepset bipia-train jackhhao --output data/public
  tinyguardrail data fetch evaluation --output data/eval
  tinyguardrail data fetch --pint my-benchmark.yaml --output data/eval

Each data set becomes OUTPUT/NAME.jsonl.gz, ready for `data mix`, `data audit` and `evaluate`. Rows
keep their licence group, and rows for evaluation only are marked: `data mix` refuses to train on
them. Give those files to its --against.

Trust: fetch.lock.json in OUTPUT records the SHA-256 of every file. A file whose hash the catalogue
knows must have that hash. Any other is trusted at the first fetch, and from then on nothing else is
accepted. Keep the lock file with the data.

Non-commercial and copyleft sets are refused unless --terms asks for their group. What was fetched
is kept in --cache; without a network, bring that folder and add --offline. Where a home wants a
login, the message says what to download by hand, and where to put it; the groups training,
evaluation and all leave such sets out.
"""

_MIX_EPILOG = """\
examples:
  tinyguardrail data mix own/train.jsonl.gz data/public --against data/eval --output data/mixed
  tinyguardrail data mix mine.jsonl own/train.jsonl.gz --output data/mixed --share benign=0.5 \\
      --cap "microsoft/*=2000" --total 60000 --seed 7

Rows are dropped for, in this order: terms; a copy or near copy of an --against text; an exact copy
of an earlier row (of another class: counted apart); a near copy of an earlier row of the same class
and source; mostly standing in another part; --cap; --share and --total. A clean text and the same
text with an attack in it both stay. Of two copies, the one from the file named first stays.

The result is train.jsonl.gz, validation.jsonl.gz and test.jsonl.gz, parted by upstream and family
as `data generate` does (--whole puts all in train), and mix.json, which says what was dropped from
which file and why. Equal inputs and seed give equal rows. Some 30 bytes a row are held in memory;
the signatures by which near copies are found, 900 bytes a row, are in OUTPUT while it runs. What
was found of copies is kept beside it: interrupted, the same command goes on.
"""

_SPLIT_EPILOG = """\
examples:
  tinyguardrail data split --pool collected --output data/harmless
  tinyguardrail data split --pool chats.jsonl --pool mails.jsonl --output data/mine
  tinyguardrail calibrate --checkpoint my-guard --benign data/harmless/validation.jsonl.gz \\
      --target-fpr 0.01
  tinyguardrail evaluate data/harmless/test.jsonl.gz --checkpoint my-guard

The shipped checkpoint's thresholds were fitted on such a validation part among others, and its
false alarms on collected texts are measured on the test part. `data generate --pool` takes only so
many rows of a pool; here all harmless ones are kept. Attacks, plain risky requests and rows under
other --terms are left out.

A row goes where `data generate` and `data mix` put it. test: the upstreams that this package keeps
out of training as a whole. validation: a few more whole upstreams, and of all others one row in 25,
by a hash of its text; so a pool of your own has a validation and a train part only. A row that
mostly stands in a later part is dropped from the earlier one, so test is never thinned out. The
result is train.jsonl.gz, validation.jsonl.gz and test.jsonl.gz, as far as they have rows, and
data.json, which describes them. Equal pools give equal rows.
"""

_AUDIT_EPILOG = """\
examples:
  tinyguardrail data audit data/mixed/train.jsonl.gz
  tinyguardrail data audit data/public --output audit.json

A shortcut is a property that says nothing of an attack and yet predicts the class here: length,
number of lines, format, ending, script, source. For each, a small decision tree is fitted to that
property alone and scored on texts it has not seen (AUROC of attack against benign; 0.5 says
nothing, and accuracy over the four classes beside that of always guessing the largest). A network
finds such a shortcut too, and fails where it does not hold. The warnings say what to do.
"""


def add_data_parsers(commands: Commands) -> None:
    """Add the commands that need no checkpoint."""
    _add_generate(commands)
    _add_split(commands)
    _add_vocabulary(commands)
    _add_fetch(commands)
    _add_mix(commands)
    _add_audit(commands)


def _add_generate(commands: Commands) -> None:
    parser = add_command(
        commands,
        "generate",
        _MODULE,
        help="write train, validation and test sets",
        description="Generate labelled texts, mix them with collected ones, split them by family. "
        "data.json describes what was made.",
    )
    _add_parts_output(parser)
    parser.add_argument(
        "--total",
        type=int,
        metavar="N",
        help="rows in all, within 5 %% unless there is too little to draw from: exact repetitions "
        f"are left out and collected texts are capped (default: {DEFAULT_TOTAL})",
    )
    add_seed(parser)
    _add_pool(parser, default=[])
    _add_terms(parser, "allowed among collected texts")
    add_workers(parser)


def _add_split(commands: Commands) -> None:
    parser = add_command(
        commands,
        "split",
        _MODULE,
        help="all harmless texts of pools as train, validation and test",
        description="Part all harmless rows of collected texts as generated sets are parted: whole "
        "upstreams first, then by a hash of the text. For thresholds and false-alarm figures.",
        epilog=_SPLIT_EPILOG,
    )
    _add_pool(parser, required=True)
    _add_parts_output(parser)
    _add_terms(parser)


def _add_vocabulary(commands: Commands) -> None:
    parser = add_command(
        commands,
        "vocabulary",
        help="extend the vocabulary of a pretrained base",
        description="Write a base's WordPiece vocabulary with the common Chinese and all "
        "Devanagari characters that it lacks at its end. The shipped one is made so.",
    )
    parser.add_argument(
        "--base",
        default="all_minilm_l6_v2",
        metavar="BASE",
        help="vocab.txt, a folder or zip with a tokenizer.json, or a package (all_minilm_l6_v2)",
    )
    add_output(parser, "F")


def _add_fetch(commands: Commands) -> None:
    parser = add_command(
        commands,
        "fetch",
        _MODULE,
        help="public data sets from their homes",
        description="Fetch public data sets by name and write them as JSON lines.",
        epilog=_FETCH_EPILOG,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="data sets; or training, evaluation, all"
    )
    parser.add_argument(
        "--list", action="store_true", help="show names, uses, licences, terms and homes"
    )
    add_output(parser, "DIR", "where to write", required=False)
    parser.add_argument(
        "--pint",
        action="append",
        default=[],
        metavar="PATH",
        help="YAML of PINT's form (text, category, label), a file or an https address, for "
        "evaluation; may be repeated",
    )
    _add_terms(parser)
    parser.add_argument("--cache", type=Path, metavar="DIR", help="(default: the user's cache)")
    parser.add_argument("--offline", action="store_true", help="take all from the cache")
    parser.add_argument(
        "--timeout", type=float, default=30.0, metavar="S", help="seconds without a byte (30)"
    )
    parser.add_argument("--attempts", type=int, default=4, metavar="N", help="tries a file (4)")
    parser.add_argument(
        "--max-bytes", type=int, default=2_000_000_000, metavar="N", help="largest file (2 GB)"
    )


def _add_mix(commands: Commands) -> None:
    parser = add_command(
        commands,
        "mix",
        _MODULE,
        help="one training set out of several files",
        description="Mix generated, fetched and own JSON lines into one training set, without "
        "copies of evaluation texts.",
        epilog=_MIX_EPILOG,
    )
    add_paths(parser)
    add_output(parser, "DIR", "where to write")
    add_input(
        parser,
        "--against",
        check=inputs.data,
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="evaluation files and folders: near copies of their texts are dropped",
    )
    parser.add_argument(
        "--share",
        type=_pair("benign=0.5", float),
        action="append",
        default=[],
        metavar="CLASS=P",
        help="share of a class in the result, reached by dropping; may be repeated",
    )
    parser.add_argument(
        "--cap",
        type=_pair("deepset/*=500", int),
        action="append",
        default=[],
        metavar="UPSTREAM=N",
        help="most rows of an upstream, * as wildcard (own: what this package generated); "
        "may be repeated",
    )
    parser.add_argument("--total", type=int, default=0, metavar="N", help="most rows in all")
    _add_near(parser)
    _add_terms(parser)
    parser.add_argument("--whole", action="store_true", help="all in train, no split")
    add_seed(parser)


def _add_audit(commands: Commands) -> None:
    parser = add_command(
        commands,
        "audit",
        _MODULE,
        help="what a data set is made of, and its shortcuts",
        description="Describe JSON lines: classes, sources, lengths, languages, licences, copies, "
        "diversity, and the properties that give the class away.",
        epilog=_AUDIT_EPILOG,
    )
    add_paths(parser)
    add_result(parser)
    _add_near(parser)
    add_seed(parser)


def _add_pool(parser: argparse.ArgumentParser, **options: Any) -> None:
    add_input(
        parser,
        "--pool",
        check=inputs.data,
        action="append",
        metavar="PATH",
        help="JSON lines of collected texts, or a folder of them; may be repeated",
        **options,
    )


def _add_parts_output(parser: argparse.ArgumentParser) -> None:
    add_output(parser, "DIR", "where to write")
    parser.add_argument(
        "--overwrite", action="store_true", help="even where DIR holds such data already"
    )


def _add_near(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--near",
        type=float,
        default=0.8,
        metavar="P",
        help="share of five-word runs that near copies have in common, 0.3 to 1; 1 for exact "
        "copies only (0.8)",
    )


def _add_terms(
    parser: argparse.ArgumentParser,
    text: str = "wanted, instead of permissive, share-alike, none-stated and own",
) -> None:
    parser.add_argument(
        "--terms",
        action="append",
        metavar="GROUP",
        help=f"licence group {text}; may be repeated",
    )


def _pair(example: str, number: Callable[[str], float]) -> Callable[[str], tuple[str, float]]:
    def parse(word: str) -> tuple[str, float]:
        name, _, value = word.rpartition("=")
        try:
            if name:
                return name, number(value)
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(f"must look like {example}")

    return parse
