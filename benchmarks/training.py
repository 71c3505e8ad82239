"""How fast training is: our loop against a plain one, same network and batches, in one run.

`python -m benchmarks.training [--rounds 5] [--precision bf16]`. Accumulation, averaging,
adversarial training and the teacher are off. Both clip and step with fused AdamW; what ours does
besides is placing, accounting for the log, a rate a group, and on a CPU in BF16 its own attention.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from benchmarks.texts import texts
from benchmarks.timing import print_json, print_table
from tinyguardrail_sdk.labels import LABELS
from tinyguardrail_sdk.training import train
from tinyguardrail_sdk.training.checkpoint import RunFolder
from tinyguardrail_sdk.training.config import TrainConfig, from_dict
from tinyguardrail_sdk.training.data.batches import Batch, BatchStream
from tinyguardrail_sdk.training.data.corpora import load_corpus
from tinyguardrail_sdk.training.data.corpus import Corpus
from tinyguardrail_sdk.training.data.schema import Example, write_examples
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.report.history import read_history

LENGTHS = (16, 32, 64, 128, 256)
SMALL = {"hidden": 128, "heads": 4, "fast_ffn": 256, "deep_layers": 4, "expert_ffn": 256}
OURS, PLAIN, AT_HAND, ALONE = "ours", "plain", "plain, batches at hand", "batches alone"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20, help="timed steps a block")
    parser.add_argument("--precision", choices=("no", "bf16"), default="no")
    parser.add_argument("--tokens", type=int, default=4096, help="budget of a batch")
    parser.add_argument("--texts", type=int, default=60, help="different texts a length")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--small", action="store_true", help="a network that a laptop trains")
    arguments = parser.parse_args()
    rates: dict[str, list[float]] = {OURS: [], PLAIN: [], AT_HAND: [], ALONE: []}
    with tempfile.TemporaryDirectory() as folder:
        config = _config(Path(folder), arguments)
        corpus = load_corpus(config, "train")
        blocks: dict[str, Callable[[], float]] = {
            OURS: partial(ours, config),
            PLAIN: partial(plain, config, corpus, at_hand=False),
            AT_HAND: partial(plain, config, corpus, at_hand=True),
            ALONE: partial(alone, config, corpus),
        }
        for turn in range(arguments.rounds):
            order = list(blocks)
            # Noise of the machine hits all alike, and nobody always follows the same one.
            for name in order[turn % len(order) :] + order[: turn % len(order)]:
                rates[name].append(blocks[name]())
    report(rates, arguments)


def ours(config: TrainConfig) -> float:
    """Tokens a second of `train.main`; its first half warms up."""
    with (
        tempfile.TemporaryDirectory(dir=config.output) as folder,
        mock.patch.object(RunFolder, "save_step"),
        mock.patch.object(RunFolder, "save_best"),
    ):
        told = config.to_dict() | {"output": folder}
        told["data"]["cache"] = str(config.cache)
        train.main(from_dict(told))
        rate: float = read_history(Path(folder)).train[-1]["tokens_per_second"]
    return rate


def plain(config: TrainConfig, corpus: Corpus, *, at_hand: bool) -> float:
    """Tokens a second of the loop that anyone would write; `at_hand` leaves out making batches."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(config.seed)
    model = TinyGuardrail(config.network, config.losses).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.optimizer.lr, fused=True)
    casting: AbstractContextManager[Any] = nullcontext()
    if config.precision == "bf16":
        casting = torch.autocast(device.type, torch.bfloat16)
    stream = _stream(config, corpus)

    def learn(batches: Iterable[Batch]) -> float:
        tokens, began = 0, time.perf_counter()
        for batch in batches:
            with casting:
                loss = model(**batch.inputs(device), labels=batch.labels.to(device)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), config.optimizer.clip)
            optimizer.step()
            optimizer.zero_grad()
            tokens += batch.tokens
        float(loss.detach())  # waits for the device
        return tokens / (time.perf_counter() - began)

    rate = 0.0
    for _ in ("warm up", "measure"):
        batches: Iterable[Batch] = islice(stream, config.log_every)
        rate = learn(list(batches) if at_hand else batches)
    return rate


def alone(config: TrainConfig, corpus: Corpus) -> float:
    """Tokens a second of the stream of batches when nobody learns from them."""
    stream = _stream(config, corpus)
    rate = 0.0
    for _ in ("warm up", "measure"):
        began = time.perf_counter()
        tokens = sum(batch.tokens for batch in islice(stream, config.log_every))
        rate = tokens / (time.perf_counter() - began)
    return rate


def report(rates: dict[str, list[float]], arguments: argparse.Namespace) -> None:
    """Print medians, ratios round by round, and the JSON line."""
    print(
        f"{arguments.rounds} rounds of {arguments.steps} steps, precision {arguments.precision}, "
        f"{'small' if arguments.small else 'shipped'} network\n"
    )
    rows = {
        name: {
            "tokens/s": float(np.median(each)),
            f"/ {PLAIN}": float(np.median(np.divide(each, rates[PLAIN]))),
            "making batches / whole": float(np.median(np.divide(each, rates[ALONE]))),
        }
        for name, each in rates.items()
    }
    print_table(
        ["loop", *rows[OURS]],
        [
            [name, f"{row['tokens/s']:,.0f}", f"{row[f'/ {PLAIN}']:.3g}"]
            + [f"{share:.2%}" for share in list(row.values())[2:]]
            for name, row in rows.items()
        ],
    )
    rounded = {n: {k: round(v, 4) for k, v in row.items()} for n, row in rows.items()}
    print_json("training", {**vars(arguments), "results": rounded})


def _config(folder: Path, arguments: argparse.Namespace) -> TrainConfig:
    made = chain.from_iterable(texts(tokens, arguments.texts) for tokens in LENGTHS)
    examples = [Example(text, LABELS[i % len(LABELS)]) for i, text in enumerate(made)]
    write_examples(folder / "train.jsonl", examples)
    write_examples(folder / "validation.jsonl", examples[:8])
    return from_dict(
        {
            "output": str(folder),
            "precision": arguments.precision,
            "threads": arguments.threads,
            "log_every": arguments.steps,
            "validate_every": 10**6,
            "schedule": {"max_steps": 2 * arguments.steps},
            "network": SMALL if arguments.small else {},
            "data": {
                "train": [str(folder / "train.jsonl")],
                "validation": [str(folder / "validation.jsonl")],
                "workers": 1,
                "tokens_per_batch": arguments.tokens,
            },
        }
    )


def _stream(config: TrainConfig, corpus: Corpus) -> BatchStream:
    data = config.data
    return BatchStream(
        corpus, seed=config.seed, tokens=data.tokens_per_batch, max_rows=data.max_rows
    )


if __name__ == "__main__":
    main()
