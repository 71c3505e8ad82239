"""Texts a second of two workers against one process: `python -m benchmarks.corpora`.

Needs `pip install -e ".[ray,spark]"` and Java 17; an absent engine is left out, and said so.
Starting workers and opening their networks takes the same time for every corpus: a job of one text
a worker is timed as well, and `texts/s` is of the time beyond it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.texts import texts
from benchmarks.timing import print_json, print_table
from tinyguardrail_sdk import Guard

TOKENS, WORKERS = 64, 2
Job = Callable[[list[str]], object]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=20_000)
    corpus = texts(TOKENS, parser.parse_args().texts)
    rows: list[list[object]] = []
    rates: dict[str, float] = {}
    for name, make in {"one process": alone, "Ray Data": on_ray, "Spark": on_spark}.items():
        try:
            job = make()
        except ImportError as error:
            print(f"{name} left out: {error}")
            continue
        job(corpus[:WORKERS])  # the engine itself starts
        start, whole = seconds(job, corpus[:WORKERS]), seconds(job, corpus)
        if whole <= start:
            parser.error(f"{name}: starting took longer than judging; pass more --texts")
        rates[name] = (len(corpus) - WORKERS) / (whole - start)
        rows.append([name, start, whole, rates[name], rates[name] / rates["one process"]])
    print_table(["64-token texts", "start, s", "whole, s", "texts/s", "to one process"], rows)
    print_json("corpora", {name: round(rate, 1) for name, rate in rates.items()})


def seconds(job: Job, corpus: list[str]) -> float:
    """How long a job takes."""
    began = time.perf_counter()
    job(corpus)
    return time.perf_counter() - began


def alone() -> Job:
    """One guard in this process."""
    return Guard().check_batch


def on_ray() -> Job:
    """Two actors, in batches of 64."""
    import ray.data

    from tinyguardrail_sdk.adapters.ray import check_rows

    # A third processor in name only: the two actors would leave none to what feeds them.
    ray.init(num_cpus=WORKERS + 1, include_dashboard=False, log_to_driver=False)

    def job(corpus: list[str]) -> Any:
        rows: list[Any] = [{"text": text} for text in corpus]
        data = ray.data.from_items(rows, override_num_blocks=4 * WORKERS)
        return check_rows(data, Guard(), workers=WORKERS, batch_size=64).materialize()

    return job


def on_spark() -> Job:
    """Two cores of a local Spark, in four partitions a core."""
    from pyspark.sql import SparkSession

    from tinyguardrail_sdk.adapters.spark import check_rows

    # Else the workers are whatever `python3` is first on the path.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(f"local[{WORKERS}]")
    spark = builder.config("spark.ui.enabled", "false").getOrCreate()

    def job(corpus: list[str]) -> Any:
        frame = spark.createDataFrame([(text,) for text in corpus], "text string")
        return check_rows(frame.repartition(4 * WORKERS), Guard()).collect()

    return job


if __name__ == "__main__":
    main()
