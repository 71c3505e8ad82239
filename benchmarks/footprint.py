"""What the guard costs its host: import, cold start, memory, disk.

`python -m benchmarks.footprint [--wheel FILE]`; times and memory are of fresh processes, the median
of several.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.timing import print_json, print_table
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT

REPETITIONS = 5
PROBE = """
import json, resource, time
def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize() / 2**20
began = time.perf_counter()
from tinyguardrail_sdk import Guard
imported = time.perf_counter()
guard = Guard()
made = time.perf_counter()
guard.check("Is the library open on Sundays?")
first = time.perf_counter()
loaded = resident()
for number in range(1000):
    guard.check(f"Question {number}: which train leaves at {number % 24} o'clock?")
print(json.dumps({
    "import ms": 1e3 * (imported - began), "Guard() ms": 1e3 * (made - imported),
    "first check ms": 1e3 * (first - made), "cold start ms": 1e3 * (first - began),
    "resident after first check MiB": loaded, "resident after 1,000 more MiB": resident(),
}))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="a built wheel, to report its size")
    wheel: Path | None = parser.parse_args().wheel
    runs = [_probe() for _ in range(REPETITIONS)]
    figures = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    sizes = {path.name: path.stat().st_size / 1e6 for path in sorted(DEFAULT_CHECKPOINT.iterdir())}
    figures["checkpoint MB"] = sum(sizes.values())
    figures.update({f"{name} MB": sizes[name] for name in sizes if name.endswith(".onnx")})
    if wheel is not None:
        figures["wheel MB"] = wheel.stat().st_size / 1e6
    print_table(["what", "median"], [[name, value] for name, value in figures.items()])
    print_json("footprint", {name: round(value, 1) for name, value in figures.items()})


def _probe() -> dict[str, Any]:
    finished = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, check=True)
    figures: dict[str, Any] = json.loads(finished.stdout)
    return figures


if __name__ == "__main__":
    main()
