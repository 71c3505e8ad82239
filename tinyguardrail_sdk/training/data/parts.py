"""Generated sets on disk: train, validation and test, and `data.json` that describes them.

Rows are written as they are made, and read again to be parted for good, so no set is in memory.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.data.generate import GenerateConfig, generate
from tinyguardrail_sdk.training.data.jsonl import open_text
from tinyguardrail_sdk.training.data.publish import publish
from tinyguardrail_sdk.training.data.report import Summary
from tinyguardrail_sdk.training.data.schema import (
    Example,
    line_of,
    read_examples,
    write_examples,
)
from tinyguardrail_sdk.training.data.split import FROM_TEST, HeldOut, assigned_split

Progress = Callable[[int, int], None]

DESCRIPTION = "data.json"
_TELL = 100  # rows from one sign of progress to the next


def write_parts(
    config: GenerateConfig,
    output: Path,
    *,
    workers: int = 1,
    progress: Progress = lambda made, total: None,
) -> dict[str, int]:
    """Generate a set, part it, and write `NAME.jsonl.gz` for each part.

    Args:
        config: What to make.
        output: Folder; made where it does not exist. Its files appear when all are whole; where
            an earlier set stands, see `publish`.
        workers: Processes; the files are the same whatever their number.
        progress: Told the rows made so far and wanted in all.

    Returns:
        Rows by part, rows `asked` for and `made` in all.

    Raises:
        InputError: A pool row or licence group makes no sense.
        FileNotFoundError: A pool is missing.
    """
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".generate-") as name:
        folder = Path(name)
        try:
            _draft(config, folder, workers, progress)
        except ValueError as error:
            raise InputError(str(error)) from error
        # Generated rows are not compared with each other.
        summaries = _settle(folder, compared=bool(config.pools))
        counts = {part: summary["rows"] for part, summary in summaries.items()}
        sizes = {"asked": config.total, "made": sum(counts.values())}
        facts = {
            "seed": config.seed,
            **sizes,
            "pools": [path.name for path in config.pools],
            **summaries,
        }
        report = json.dumps(facts, indent=2, default=str) + "\n"
        (folder / DESCRIPTION).write_text(report, encoding="utf-8")
        publish(folder, output, [*map(_file, summaries), DESCRIPTION])
    return {**counts, **sizes}


def _draft(config: GenerateConfig, folder: Path, workers: int, progress: Progress) -> None:
    with ExitStack() as stack:
        files = {
            part: stack.enter_context(open_text(_drafted(folder, part), "wt")) for part in FROM_TEST
        }
        for made, example in enumerate(generate(config, workers=workers, folder=folder), 1):
            files[assigned_split(example)].write(line_of(example.to_dict()))
            if not made % _TELL:
                progress(made, config.total)


def _settle(folder: Path, *, compared: bool) -> Mapping[str, dict[str, Any]]:
    """Write every part without the rows that stand in a later one, and describe it."""
    held_out = HeldOut(folder)
    found = {}
    for part in FROM_TEST:
        summary = Summary()

        def kept(part: str = part, summary: Summary = summary) -> Iterator[Example]:
            for example in read_examples(_drafted(folder, part)):
                if not compared or held_out.admits(example, part):
                    summary.add(example)
                    yield example

        write_examples(folder / _file(part), kept())
        held_out.close()
        found[part] = summary.to_dict()
    return {part: found[part] for part in reversed(FROM_TEST)}


def _drafted(folder: Path, part: str) -> Path:
    return folder / f"{part}.jsonl"


def _file(part: str) -> str:
    return f"{part}.jsonl.gz"
