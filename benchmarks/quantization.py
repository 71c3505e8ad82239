"""What INT8 costs: FP32 weights, their fake-quantised form and the shipped files on labelled texts.

`python -m benchmarks.quantization --run runs/guard/best --data data/test.jsonl.gz`. Each branch
answers every window; the riskiest window speaks for its text.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import print_json, print_table
from tinyguardrail_sdk.engine import Engine
from tinyguardrail_sdk.features import FeatureExtractor
from tinyguardrail_sdk.labels import Route
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, load_manifest
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.checkpoint import load_model
from tinyguardrail_sdk.training.data.corpora import load_corpus
from tinyguardrail_sdk.training.data.schema import read_examples
from tinyguardrail_sdk.training.quantization import prepare
from tinyguardrail_sdk.training.scores import Floats, WindowScores, softmax
from tinyguardrail_sdk.training.validation import draw_texts, score_texts


def main() -> None:
    """Score and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    arguments = parser.parse_args()
    floating, fake = torch_scores(arguments.run, arguments.data)
    shipped = engine_scores(arguments.checkpoint, arguments.data)
    rows = []
    results = {}
    for branch in ("fast", "deep"):
        for name, answers in (
            ("FP32", getattr(floating, branch)),
            ("fake-quantised", getattr(fake, branch)),
            ("INT8 files", shipped[branch]),
        ):
            row = _measure(floating, softmax(answers), softmax(getattr(floating, branch)))
            rows.append([branch, name, *row.values()])
            results[f"{branch}, {name}"] = row
    print_table(["branch", "arithmetic", *next(iter(results.values()))], rows)
    print_json("quantization", {"texts": len(floating.labels), "results": results})


def torch_scores(run: Path, data: Path) -> tuple[WindowScores, WindowScores]:
    """Answers of the weights as trained, in FP32 and in the numerics of the export."""
    model, config = load_model(run)
    with tempfile.TemporaryDirectory() as cache:
        files = dataclasses.replace(config.data, validation=(data,), cache=Path(cache), workers=1)
        corpus = load_corpus(dataclasses.replace(config, data=files), "validation")
        texts = draw_texts(corpus, 0, config.seed)
        scored = partial(
            score_texts,
            tokens=config.data.tokens_per_batch,
            max_rows=config.data.max_rows,
        )
        floating = scored(model, corpus, texts)
        prepare(model.fast)
        prepare(model.deep)
        return floating, scored(model, corpus, texts)


def engine_scores(checkpoint: Path, data: Path) -> dict[str, Floats]:
    """Uncalibrated log-probabilities of both branches of the shipped files, window by window."""
    manifest = load_manifest(checkpoint)
    neutral = manifest.model_copy(update={"temperature": type(manifest.temperature)()})
    engine = Engine(checkpoint, neutral)
    tokenizer = WordPieceTokenizer.from_file(checkpoint / "vocab.txt")
    extractor = FeatureExtractor(
        tokenizer, max_tokens=manifest.max_tokens, overlap=manifest.overlap
    )
    answers: dict[str, list[Any]] = {"fast": [], "deep": []}
    for example in read_examples(data):
        for window in extractor.extract(example.text, example.source).windows:
            for route in (Route.FAST, Route.DEEP):
                answers[route].append(engine.run(window, route).probabilities)
    return {branch: np.log(np.maximum(rows, 1e-12)) for branch, rows in answers.items()}


def _measure(scores: WindowScores, answers: Floats, reference: Floats) -> dict[str, float]:
    worst = answers[scores.worst(answers)]
    expected = reference[scores.worst(reference)]
    table = metrics.classification(scores.labels, worst.argmax(1))
    return {
        "accuracy": float(table["accuracy"]),
        "macro F1": float(table["macro_f1"]),
        "mean |dP| to FP32": float(np.abs(worst - expected).mean()),
        "same label as FP32": float((worst.argmax(1) == expected.argmax(1)).mean()),
    }


if __name__ == "__main__":
    main()
