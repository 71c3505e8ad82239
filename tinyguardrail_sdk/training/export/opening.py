"""Opens what the export wrote as the runtime will, and runs an example through every part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tinyguardrail_sdk.engine import Engine
from tinyguardrail_sdk.errors import CheckFailed, CheckpointError
from tinyguardrail_sdk.features import FeatureExtractor
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.manifest import Manifest
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer

_EXAMPLE = "What time does the museum open on Sundays?"
_ANSWERS = ("fast.onnx", "deep.onnx", "embed.onnx (the router)")


def try_parts(directory: Path, manifest: Manifest) -> None:
    """Make sure that the files of a checkpoint run and answer with numbers.

    Args:
        directory: Where the files are; their manifest need not be there yet.
        manifest: What it will say.

    Raises:
        CheckpointError: A file cannot be opened, an operator fails, or an answer is no number; the
            message names it.
    """
    extractor = FeatureExtractor(
        WordPieceTokenizer.from_file(directory / "vocab.txt"),
        max_tokens=manifest.max_tokens,
        overlap=manifest.overlap,
    )
    window = extractor.extract(_EXAMPLE, Source.USER).windows[0]
    try:
        answers: tuple[Any, ...] = Engine(directory, manifest).logits(window)
    except (CheckpointError, CheckFailed) as error:
        # The cause is the inference library's own message, which names file or operator.
        raise CheckpointError(
            f"{directory}: what was written does not run here: {error.__cause__}; "
            "upgrade onnxruntime"
        ) from error
    wrong = [
        part
        for part, answer in zip(_ANSWERS, answers, strict=True)
        if not np.all(np.isfinite(np.asarray(answer, np.float64)))
    ]
    if wrong:
        raise CheckpointError(
            f"{directory}: {', '.join(wrong)}: the answer to an example is no number, since the "
            "weights are damaged or too large; export another step"
        )
