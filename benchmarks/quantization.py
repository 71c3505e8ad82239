"""What INT8 and INT4 cost: FP32 weights, their fake-quantised form and exported files, set by set.

`python -m benchmarks.quantization --run runs/guard/best --data data/eval --checkpoint int8 int4`.
Each branch answers every window; the riskiest window speaks for its text. Then the decisions of
the routed model: temperature, dials and thresholds are those of a checkpoint's manifest (of the
first one for the weights), and right is to flag an attack and to pass a benign text. Rows of no
class count as attacks, and apart.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import print_json, print_table
from tinyguardrail_sdk.features import FeatureExtractor
from tinyguardrail_sdk.labels import LABELS, SOURCES, Label, Mode
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, Manifest, load_manifest
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.checkpoint import check_vocabulary, load_model
from tinyguardrail_sdk.training.data.corpus import Corpus, pack
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.windows import WindowRules
from tinyguardrail_sdk.training.judging import judge_windows
from tinyguardrail_sdk.training.quantization import prepare
from tinyguardrail_sdk.training.rows import Row, read_rows
from tinyguardrail_sdk.training.scores import Floats, WindowScores, softmax
from tinyguardrail_sdk.training.thresholds import calibrated_risk
from tinyguardrail_sdk.training.validation import draw_texts, score_texts

FLOATING, FAKE = "FP32", "fake-quantised"


def main() -> None:
    """Score and print."""
    arguments = _arguments()
    rows = read_rows(arguments.data, {})
    manifests = {path.name: load_manifest(path) for path in arguments.checkpoint}
    first = manifests[arguments.checkpoint[0].name]
    # Scoring asks for a class; what has none gets one that nothing here looks at.
    scored = [row if row.has_class else dataclasses.replace(row, label=LABELS[1]) for row in rows]
    answers = torch_scores(arguments.run, scored)
    for path in arguments.checkpoint:
        answers[path.name] = judge_windows(path, scored, workers=arguments.workers)
    flagged = {
        name: _flagged(scores, manifests.get(name, first)) for name, scores in answers.items()
    }
    branches = branch_table(answers, rows)
    print_table(
        ["branch", "arithmetic", *next(iter(branches.values()))],
        [[*name.split("/"), *entry.values()] for name, entry in branches.items()],
    )
    sets = set_table(flagged, rows)
    print()
    print_table(["set", "texts", *answers], [_line(name, entry) for name, entry in sets.items()])
    print_json("quantization", {"texts": len(rows), "results": branches, "sets": sets})


def torch_scores(run: Path, rows: Sequence[Row]) -> dict[str, WindowScores]:
    """Answers of the weights as trained, in FP32 and in the numerics of the export."""
    model, config = load_model(run)
    data = config.data
    check_vocabulary(run, data.vocab)
    tokenizer = WordPieceTokenizer.from_file(data.vocab)
    extractor = FeatureExtractor(tokenizer, max_tokens=data.max_tokens, overlap=data.overlap)
    examples = [Example(row.text, Label(row.label), row.source) for row in rows]
    corpus = Corpus.of(pack(extractor, examples, WindowRules(whole=True), config.seed))
    scored = partial(score_texts, tokens=data.tokens_per_batch, max_rows=data.max_rows)
    texts = draw_texts(corpus, 0, config.seed)
    floating = scored(model, corpus, texts)
    prepare(model)
    return {FLOATING: floating, FAKE: scored(model, corpus, texts)}


def branch_table(
    answers: Mapping[str, WindowScores], rows: Sequence[Row]
) -> dict[str, dict[str, float]]:
    """By branch and arithmetic, over the rows that have a class: quality and distance to FP32."""
    chosen = np.array([row.has_class for row in rows])
    table = {}
    for branch in ("fast", "deep"):
        reference = _worst(answers[FLOATING], branch)[chosen]
        for name, scores in answers.items():
            found = _worst(scores, branch)[chosen]
            measured = metrics.classification(scores.labels[chosen], found.argmax(1))
            table[f"{branch}/{name}"] = {
                "accuracy": float(measured["accuracy"]),
                "macro F1": float(measured["macro_f1"]),
                "mean |dP| to FP32": float(np.abs(found - reference).mean()),
                "same label as FP32": float((found.argmax(1) == reference.argmax(1)).mean()),
            }
    return table


def set_table(
    flagged: Mapping[str, NDArray[np.bool_]], rows: Sequence[Row]
) -> dict[str, dict[str, dict[str, float]]]:
    """By set and arithmetic: texts, right decisions, points to FP32, decisions unlike FP32's."""
    groups = np.array([row.set if row.has_class else f"{row.set}, {row.label}" for row in rows])
    attack = np.array([row.label != str(Label.BENIGN) for row in rows])
    table = {}
    for group in ["all", *np.unique(groups)]:
        chosen = (groups == group) | (group == "all")
        reference = flagged[FLOATING][chosen]
        right = int((reference == attack[chosen]).sum())
        table[str(group)] = {
            name: {
                "texts": int(chosen.sum()),
                "right": (hits := int((answers[chosen] == attack[chosen]).sum())),
                "points": 100 * (hits - right) / int(chosen.sum()),
                "changed": int((answers[chosen] != reference).sum()),
            }
            for name, answers in flagged.items()
        }
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="trained weights")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="sets, or folders")
    parser.add_argument(
        "--checkpoint", type=Path, nargs="+", default=[DEFAULT_CHECKPOINT], help="exported files"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that run the files")
    arguments = parser.parse_args()
    names = [path.name for path in arguments.checkpoint]
    if len({*names, FLOATING, FAKE}) < len(names) + 2:
        parser.error("--checkpoint: the folders need names of their own")
    return arguments


def _worst(scores: WindowScores, branch: str) -> Floats:
    answers = softmax(getattr(scores, branch))
    worst: Floats = answers[scores.worst(answers)]
    return worst


def _flagged(scores: WindowScores, manifest: Manifest) -> NDArray[np.bool_]:
    limits = [manifest.thresholds[SOURCES[index]][Mode.BALANCED] for index in scores.sources]
    flagged: NDArray[np.bool_] = calibrated_risk(manifest, scores) >= np.array(limits)
    return flagged


def _line(name: str, entry: Mapping[str, Mapping[str, float]]) -> list[object]:
    texts = next(iter(entry.values()))["texts"]
    cells = []
    for arithmetic, found in entry.items():
        cell = f"{found['right']} ({100 * found['right'] / texts:.1f} %)"
        if arithmetic != FLOATING:
            cell += f" {found['points']:+.2f}, {found['changed']} changed"
        cells.append(cell)
    return [name, texts, *cells]


if __name__ == "__main__":
    main()
