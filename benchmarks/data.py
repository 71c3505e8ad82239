"""What a training set of any size takes before training: memory and time of each step.

`python -m benchmarks.data [--rows N] [--against N]`, on Linux; needs the extra `train`. A set is
generated, mixed against another one that stands for evaluation texts, and its training part is
tokenised, each in processes of its own that are looked at five times a second. Disk: 3 KB a row,
in a folder that goes afterwards.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.timing import print_json, print_table

_LOOK_S = 0.2
_PRODUCT = (sys.executable, "-m", "tinyguardrail_sdk", "data")
_TOKENISE = """
import sys
from pathlib import Path
from tinyguardrail_sdk.training.config import DataConfig, TrainConfig
from tinyguardrail_sdk.training.data.corpora import load_corpus
if __name__ == "__main__":
    train, cache = map(Path, sys.argv[1:])
    load_corpus(TrainConfig(data=DataConfig(train=(train,), cache=cache, workers=2)), "train")
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="of the set (20,000)")
    parser.add_argument("--against", type=int, default=12_000, help="evaluation texts (12,000)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".data-") as name:
        found = _measured(Path(name), arguments.rows, arguments.against)
    columns = ["step", "anonymous MB", "resident MB", "seconds", "processor seconds"]
    print_table(columns, [[step, *figures.values()] for step, figures in found.items()])
    print_json("data", {"rows": arguments.rows, **found})


def _measured(folder: Path, rows: int, against: int) -> dict[str, dict[str, float]]:
    made, other, mixed = folder / "set", folder / "against", folder / "mixed"
    script = folder / "tokenise.py"  # a file: its processes import it again
    script.write_text(_TOKENISE, encoding="utf-8")
    seeds = ("--workers", "2", "--seed")
    subprocess.run(
        [*_PRODUCT, "generate", "--output", other, "--total", str(against), *seeds, "99"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    steps: dict[str, list[str | Path]] = {
        "generate": [*_PRODUCT, "generate", "--output", made, "--total", str(rows), *seeds, "7"],
        "mix": [*_PRODUCT, "mix", made, "--against", other, "--output", mixed],
        "tokenise": [sys.executable, script, made / "train.jsonl.gz", folder / "cache"],
    }
    return {name: _run(command) for name, command in steps.items()}


def _run(command: list[str | Path]) -> dict[str, float]:
    """Run a command to its end and look at its processes meanwhile."""
    before, start = _processor_seconds(), time.perf_counter()
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    anonymous = resident = 0.0
    while running.poll() is None:
        sizes = [_memory(number) for number in _family(running.pid)]
        anonymous = max(anonymous, sum(size[0] for size in sizes))
        resident = max(resident, sum(size[1] for size in sizes))
        time.sleep(_LOOK_S)
    if running.returncode:
        raise SystemExit(f"{command[:4]} ended with {running.returncode}; its error is above")
    return {
        "anonymous": round(anonymous),
        "resident": round(resident),
        "seconds": round(time.perf_counter() - start, 1),
        "processor": round(_processor_seconds() - before, 1),
    }


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _family(number: int) -> Iterator[int]:
    """A process and all below it."""
    yield number
    for task in Path(f"/proc/{number}/task").glob("*/children"):
        try:
            children = task.read_text(encoding="ascii").split()
        except OSError:  # it has ended
            continue
        for child in children:
            yield from _family(int(child))


def _memory(number: int) -> tuple[float, float]:
    """Megabytes of a process: its own, and with the pages of files, those of libraries shared."""
    try:
        lines = Path(f"/proc/{number}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:  # it has ended
        return 0.0, 0.0
    sizes = {line.split()[0]: line.split()[1] for line in lines[1:]}
    return int(sizes["Anonymous:"]) / 1024, int(sizes["Rss:"]) / 1024


if __name__ == "__main__":
    main()
