"""Generated sets on disk: train, validation and test, and `data.json` that describes them."""

from __future__ import annotations

import json
from pathlib import Path

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.data.generate import GenerateConfig, build_parts
from tinyguardrail_sdk.training.data.report import summarise
from tinyguardrail_sdk.training.data.schema import write_examples

DESCRIPTION = "data.json"


def write_parts(config: GenerateConfig, output: Path) -> dict[str, int]:
    """Generate a set, part it, and write `NAME.jsonl.gz` for each part.

    Args:
        config: What to make.
        output: Folder; made where it does not exist.

    Returns:
        Rows by part, rows `asked` for and `made` in all.

    Raises:
        InputError: A pool row or licence group makes no sense.
        FileNotFoundError: A pool is missing.
    """
    try:
        parts = build_parts(config)
    except ValueError as error:
        raise InputError(str(error)) from error
    output.mkdir(parents=True, exist_ok=True)
    for name, rows in parts.items():
        write_examples(output / f"{name}.jsonl.gz", rows)
    counts = {name: len(rows) for name, rows in parts.items()}
    sizes = {"asked": config.total, "made": sum(counts.values())}
    facts = {
        "seed": config.seed,
        **sizes,
        "pools": [path.name for path in config.pools],
        **{name: summarise(rows) for name, rows in parts.items()},
    }
    report = json.dumps(facts, indent=2, default=str) + "\n"
    (output / DESCRIPTION).write_text(report, encoding="utf-8")
    return {**counts, **sizes}
