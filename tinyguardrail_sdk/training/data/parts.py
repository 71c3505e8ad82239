"""Sets on disk: train, validation and test, and `data.json` that describes them.

Rows are written as they are made, and read again to be parted for good, so no set is in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.generate import GenerateConfig, generate
from tinyguardrail_sdk.training.data.jsonl import open_text, write_json
from tinyguardrail_sdk.training.data.kept import NOTHING, Kept
from tinyguardrail_sdk.training.data.pools import (
    DEFAULT_TERMS,
    PAYLOAD_LABEL,
    Pools,
    check_known_terms,
    load_pools,
)
from tinyguardrail_sdk.training.data.publish import drafted, publish
from tinyguardrail_sdk.training.data.report import Summary
from tinyguardrail_sdk.training.data.schema import (
    Example,
    line_of,
    read_examples,
    write_examples,
)
from tinyguardrail_sdk.training.data.split import FROM_TEST, HeldOut, assigned_split
from tinyguardrail_sdk.training.progress import Progress

DESCRIPTION = "data.json"
_TELL = 100  # rows from one sign of progress to the next


def write_parts(
    config: GenerateConfig,
    output: Path,
    *,
    workers: int = 1,
    progress: Progress = lambda made, total: None,
    kept: Kept = NOTHING,
) -> dict[str, int]:
    """Generate a set, part it, and write `NAME.jsonl.gz` for each part.

    Args:
        config: What to make.
        output: Folder; made where it does not exist. Its files appear when all are whole; where
            an earlier set stands, see `publish`.
        workers: Processes; the files are the same whatever their number.
        progress: Told the rows made so far and wanted in all.
        kept: Where what is made is kept until then.

    Returns:
        Rows by part, rows `asked` for and `made` in all.

    Raises:
        InputError: A pool row or licence group makes no sense.
        FileNotFoundError: A pool is missing.
    """
    with drafted(output, "generate") as folder:
        try:
            rows = generate(config, workers=workers, folder=folder, kept=kept)
            _draft(rows, config.total, folder, progress)
        except ValueError as error:
            raise InputError(str(error)) from error
        # Generated rows are not compared with each other.
        summaries = _settle(folder, compared=bool(config.pools))
        counts = {part: summary["rows"] for part, summary in summaries.items()}
        sizes = {"asked": config.total, "made": sum(counts.values())}
        pools = [path.name for path in config.pools]
        facts = {"seed": config.seed, **sizes, "pools": pools, **summaries}
        write_json(folder / DESCRIPTION, facts)
        publish(folder, output, [*map(_file, summaries), DESCRIPTION])
    return {**counts, **sizes}


def write_benign_parts(
    paths: Sequence[Path],
    output: Path,
    *,
    terms: Iterable[str] = DEFAULT_TERMS,
    progress: Progress = lambda read, total: None,
) -> dict[str, Any]:
    """Part all harmless rows of pools as `write_parts` parts collected rows, without any cap.

    Args:
        paths: Pools, see `load_pools`; by the name of its file a row has its source.
        output: Folder, as of `write_parts`. A part without rows has no file.
        terms: Licence groups allowed.
        progress: Told the rows parted so far and of all.

    Returns:
        What `data.json` holds: `pools` (names of the paths); rows `read`, `kept` and `dropped`
        with the reasons; by part what `Summary.to_dict` gives.

    Raises:
        InputError: A pool row or licence group makes no sense, or no harmless row is left.
        FileNotFoundError: A pool is missing.
    """
    pools, rows = _benign(paths, frozenset(terms))
    with drafted(output, "split") as folder:
        _draft(rows, len(rows), folder, progress)
        summaries = _settle(folder, compared=True)
        kept = sum(summary["rows"] for summary in summaries.values())
        dropped = pools.dropped + Counter(
            {
                "attack": len(pools.examples) - len(rows),
                f"{PAYLOAD_LABEL} is no class": len(pools.payloads),
                "near copy of another part": len(rows) - kept,
            }
        )
        present = {part: summary for part, summary in summaries.items() if summary["rows"]}
        facts = {
            "pools": [path.name for path in paths],
            "read": kept + dropped.total(),
            "kept": kept,
            "dropped": dict(dropped.most_common()),
            **present,
        }
        write_json(folder / DESCRIPTION, facts)
        stale = [_file(part) for part in FROM_TEST if part not in present]
        publish(folder, output, [*map(_file, present), DESCRIPTION], stale)
    return facts


def _benign(paths: Sequence[Path], terms: frozenset[str]) -> tuple[Pools, list[Example]]:
    check_known_terms(terms)
    try:
        pools = load_pools(paths, terms)
    except ValueError as error:
        raise InputError(str(error)) from error
    rows = [example for example in pools.examples if example.label is Label.BENIGN]
    if not rows:
        why = ", ".join(f"{n} {reason}" for reason, n in pools.dropped.most_common())
        raise InputError(
            f"no harmless row in {', '.join(map(str, paths))}{why and '; dropped: '}{why}"
        )
    return pools, rows


def _draft(rows: Iterable[Example], total: int, folder: Path, progress: Progress) -> None:
    with ExitStack() as stack:
        files = {
            part: stack.enter_context(open_text(_drafted(folder, part), "wt")) for part in FROM_TEST
        }
        for done, example in enumerate(rows, 1):
            files[assigned_split(example)].write(line_of(example.to_dict()))
            if not done % _TELL:
                progress(done, total)


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
