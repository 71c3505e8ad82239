"""Texts a second by batch size, threads and processes: `python -m benchmarks.throughput`."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache

from benchmarks.texts import texts
from benchmarks.timing import print_json, print_table
from tinyguardrail_sdk import Guard

TOKENS, TEXTS = 64, 256
BATCHES = (1, 4, 16, 64)


@lru_cache
def guard(threads: int = 1) -> Guard:
    """One guard a process and number of threads, warm."""
    made = Guard(threads=threads)
    made.check("warm up")
    return made


def check(batch: list[str], threads: int = 1) -> int:
    """Check a batch; the number of texts."""
    return len(guard(threads).check_batch(batch))


def batches(corpus: list[str], size: int) -> list[list[str]]:
    """Cut a corpus into lists of `size` texts."""
    return [corpus[start : start + size] for start in range(0, len(corpus), size)]


def main() -> None:
    """Measure and print."""
    corpus = texts(TOKENS, TEXTS)
    rates = {}
    for threads in (1, 2):
        for size in BATCHES:
            guard(threads)
            began = time.perf_counter()
            for batch in batches(corpus, size):
                check(batch, threads)
            rates[f"{threads} threads, batches of {size}"] = TEXTS / (time.perf_counter() - began)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(check, [corpus[:4]] * 8))  # every process opens its network
        began = time.perf_counter()
        list(pool.map(check, batches(corpus, 16)))
        rates["2 processes, batches of 16"] = TEXTS / (time.perf_counter() - began)
    print_table(
        [f"{TOKENS}-token texts", "texts/s", "tokens/s"],
        [[name, rate, rate * TOKENS] for name, rate in rates.items()],
    )
    print_json("throughput", {name: round(rate, 1) for name, rate in rates.items()})


if __name__ == "__main__":
    main()
