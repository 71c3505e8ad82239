"""Generated sets on disk: train, validation and test, and `data.json` that describes them."""

from __future__ import annotations

import json
from pathlib import Path

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.data.generate import GenerateConfig, build
from tinyguardrail_sdk.training.data.report import summarise
from tinyguardrail_sdk.training.data.schema import write_examples
from tinyguardrail_sdk.training.data.split import split

DESCRIPTION = "data.json"


def write_parts(config: GenerateConfig, output: Path, *, most: int = 0) -> dict[str, int]:
    """Generate a set, part it, and write `NAME.jsonl.gz` for each part.

    Args:
        config: What to make.
        output: Folder; made where it does not exist.
        most: Rows of all parts together; of more, a random choice stays. 0 keeps all.

    Returns:
        Rows by part.

    Raises:
        InputError: A pool row makes no sense.
        FileNotFoundError: A pool is missing.
    """
    try:
        examples = build(config)
    except ValueError as error:
        raise InputError(str(error)) from error
    parts = split(examples[:most] if most else examples)  # `build` has shuffled them
    output.mkdir(parents=True, exist_ok=True)
    for name, rows in parts.items():
        write_examples(output / f"{name}.jsonl.gz", rows)
    facts = {
        "seed": config.seed,
        "pools": [path.name for path in config.pools],
        **{name: summarise(rows) for name, rows in parts.items()},
    }
    report = json.dumps(facts, indent=2, default=str) + "\n"
    (output / DESCRIPTION).write_text(report, encoding="utf-8")
    return {name: len(rows) for name, rows in parts.items()}
