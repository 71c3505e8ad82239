"""What the shipped network still knows with fewer heads, or with tied layers, before any training.

`python -m benchmarks.pruning`, or with other numbers `--heads 10 4`. The weights in the wheel are
read back in FP32, as `--init shipped` reads them, and each branch answers every window of the
built-in regression set, or of `--texts N` drawn from it. The riskiest window speaks for its text,
and its class must be the text's.
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import numpy as np

from benchmarks.texts import tokenizer
from benchmarks.timing import print_json, print_table
from tinyguardrail_sdk.features import FeatureExtractor
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.compare import REGRESSION_SET
from tinyguardrail_sdk.training.data.corpus import Corpus, pack
from tinyguardrail_sdk.training.data.schema import read_examples
from tinyguardrail_sdk.training.data.windows import WindowRules
from tinyguardrail_sdk.training.network.config import NetworkConfig
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.restore import restore
from tinyguardrail_sdk.training.scores import WindowScores, softmax
from tinyguardrail_sdk.training.tables import shown_rate
from tinyguardrail_sdk.training.validation import draw_texts, score_texts

_WHOLE = NetworkConfig()
_WIDTH = _WHOLE.hidden // _WHOLE.heads
_BRANCHES = ("fast", "deep")


def main() -> None:
    """Make each network, score it and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, nargs="+", default=[8, 6], help="kept (8 6)")
    parser.add_argument("--texts", type=int, default=0, help="drawn; 0 all (0)")
    arguments = parser.parse_args()
    examples = list(read_examples(REGRESSION_SET))
    if arguments.texts:
        examples = random.Random(7).sample(examples, arguments.texts)
    windows = pack(FeatureExtractor(tokenizer()), examples, WindowRules(whole=True), seed=0)
    corpus = Corpus.of(windows)
    networks = {
        f"{_WHOLE.heads} heads": _WHOLE,
        **{f"{n} heads": NetworkConfig(heads=n, head_width=_WIDTH) for n in arguments.heads},
        "tied": NetworkConfig(tied=True),
    }
    found = {name: _scored(network, corpus) for name, network in networks.items()}
    print_table(
        ["network", "weights", *(f"{branch} branch right" for branch in _BRANCHES)],
        [
            [name, f"{entry['weights']:,}", *(shown_rate(entry[b]) for b in _BRANCHES)]
            for name, entry in found.items()
        ],
    )
    print_json("pruning", {"texts": len(examples), "networks": found})


def right(scores: WindowScores, branch: str) -> int:
    """Texts whose riskiest window has their class."""
    answers = softmax(getattr(scores, branch))
    return int(np.sum(answers[scores.worst(answers)].argmax(1) == scores.labels))


def _scored(network: NetworkConfig, corpus: Corpus) -> dict[str, Any]:
    model = TinyGuardrail(network)
    restore(model, DEFAULT_CHECKPOINT)
    scores = score_texts(model.eval(), corpus, draw_texts(corpus, 0, 0), tokens=4096, max_rows=128)
    total = len(scores.labels)
    rates = {branch: metrics.rate(right(scores, branch), total).to_dict() for branch in _BRANCHES}
    return {"weights": model.parameter_count(), **rates}


if __name__ == "__main__":
    main()
