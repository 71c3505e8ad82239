"""What `data mine` and `data mutate` do: a checkpoint says which texts are worth learning."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Label, Mode
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, load_manifest
from tinyguardrail_sdk.training.counting import counting
from tinyguardrail_sdk.training.data.kept import Kept, keeping, unfinished
from tinyguardrail_sdk.training.data.mine import MineConfig
from tinyguardrail_sdk.training.data.mine import mine as mine_examples
from tinyguardrail_sdk.training.data.schema import Example, read_examples, write_examples
from tinyguardrail_sdk.training.evaluate import reaches_threshold
from tinyguardrail_sdk.training.judging import judge_texts
from tinyguardrail_sdk.training.mutate import mutate_examples
from tinyguardrail_sdk.training.options import chosen_route
from tinyguardrail_sdk.training.reporter import print_json, tell
from tinyguardrail_sdk.training.rows import as_rows, read_rows

_DONE = 0


def mine(arguments: argparse.Namespace) -> int:
    """Score a training set and keep its hard part."""
    try:
        config = MineConfig(arguments.sure, arguments.keep_known, arguments.seed)
    except ValueError as error:
        raise InputError(str(error)) from error
    examples = list(read_examples(arguments.data))
    with keeping(unfinished(arguments.output), tell) as kept:
        with counting("score") as progress:
            scores, _ = judge_texts(
                arguments.checkpoint or DEFAULT_CHECKPOINT,
                read_rows([arguments.data], {}),
                force=chosen_route(arguments),
                workers=arguments.workers,
                progress=progress,
                kept=kept,
            )
        mined = mine_examples(examples, scores, config)
        write_examples(arguments.output, mined)
    print_json({"read": _by_label(examples), "kept": _by_label(mined)})
    return _DONE


def mutate(arguments: argparse.Namespace) -> int:
    """Write mutants of a training set; where a checkpoint is asked, those that it gets wrong."""
    made = mutate_examples(
        read_examples(arguments.data),
        variants=arguments.variants,
        benign_share=arguments.benign_share,
        names=arguments.mutation,
        seed=arguments.seed,
    )
    chosen = made
    with keeping(unfinished(arguments.output), tell) as kept:
        if made and (arguments.only_missed or arguments.checkpoint):
            chosen = _mistaken(made, arguments, kept)
        write_examples(arguments.output, chosen)
    print_json({"made": _by_label(made), "kept": _by_label(chosen)})
    return _DONE


def _mistaken(made: Sequence[Example], arguments: argparse.Namespace, kept: Kept) -> list[Example]:
    """Those that a checkpoint decides wrongly."""
    checkpoint, rows = arguments.checkpoint or DEFAULT_CHECKPOINT, as_rows(made)
    with counting("score") as progress:
        scores, _ = judge_texts(
            checkpoint, rows, workers=arguments.workers, progress=progress, kept=kept
        )
    flagged = reaches_threshold(rows, scores, load_manifest(checkpoint), Mode.BALANCED)
    decided = zip(made, flagged, strict=True)
    return [example for example, hit in decided if hit == (example.label is Label.BENIGN)]


def _by_label(examples: Sequence[Example]) -> Counter[str]:
    return Counter(str(example.label) for example in examples)
