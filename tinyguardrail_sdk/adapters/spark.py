"""Spark: a data frame judged by the Python workers of its executors, one network in each.

pip install "tinyguardrail-sdk[spark]"

    checked = check_rows(spark.read.parquet("pages"), Guard(), source="document")
    checked.write.parquet("checked")

Lazy, as all of Spark: what is not written or cached is judged anew at every use. A worker takes one
partition at a time, so `repartition` a corpus that has fewer partitions than there are cores.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tinyguardrail_sdk.adapters._frameworks import require
from tinyguardrail_sdk.adapters._rows import Rows
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.guard import Guard
from tinyguardrail_sdk.labels import Source

if TYPE_CHECKING:
    import pyarrow
    import pyspark.sql


def check_rows(
    frame: pyspark.sql.DataFrame,
    guard: Guard,
    *,
    text: str = "text",
    source: Source | str | None = None,
    source_column: str | None = None,
    prefix: str = "",
) -> pyspark.sql.DataFrame:
    """Return a frame whose rows have `label`, `risk`, `blocked`, `action` and `error` besides.

    `error` says why a row could not be checked (no string, unknown source, over the policy's cap,
    a check that broke), without its text, and is null for all others. `label` and `risk` are null
    then, and `blocked` is true, unless `Policy(on_error="allow")` or shadow mode answered.

    Args:
        frame: The corpus.
        guard: Who judges; every worker gets a copy by pickle.
        text: Column of the texts.
        source: Where they come from; by default from users.
        source_column: Column that says so for each row, in place of `source`.
        prefix: What the names of the new columns begin with.

    Raises:
        ImportError: PySpark is not installed.
        InputError: An argument of the wrong kind, or columns that lack or collide.
    """
    types = require("pyspark.sql.types", "spark")
    if not hasattr(frame, "mapInArrow"):
        raise InputError(f"{type(frame).__name__} is no pyspark.sql.DataFrame")
    rows = Rows(guard, text, source, source_column, prefix)
    rows.refuse(frame.columns)
    schema = types.StructType(list(frame.schema.fields))  # a copy, for `add` changes it
    for name, kind in rows.added.items():
        schema.add(name, kind)
    return frame.mapInArrow(functools.partial(_judged, rows), schema)


def _judged(rows: Rows, batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
    kept = _kept(rows)
    for batch in batches:
        yield kept.judged(batch)


@functools.lru_cache(maxsize=4)
def _kept(rows: Rows) -> Rows:
    """The first copy that came to this worker: every task unpickles another, without a network."""
    return rows
