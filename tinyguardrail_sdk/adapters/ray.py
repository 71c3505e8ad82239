"""Ray Data: a corpus judged by an actor a worker, each of which opens the network once.

pip install "tinyguardrail-sdk[ray]"

    checked = check_rows(ray.data.read_parquet("pages"), Guard(), source="document", workers=8)
    checked.write_parquet("checked")

Lazy, as all of Ray Data: what is not written or materialised is judged anew at every use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinyguardrail_sdk.adapters._frameworks import require
from tinyguardrail_sdk.adapters._rows import Rows
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.guard import Guard
from tinyguardrail_sdk.labels import Source

if TYPE_CHECKING:
    import pyarrow
    import ray.data


class CheckBatches:
    """What each actor runs: a batch in, the same with the columns of `check_rows` out."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        """Judge the rows of one batch."""
        return self._rows.judged(batch)


def check_rows(
    dataset: ray.data.Dataset,
    guard: Guard,
    *,
    text: str = "text",
    source: Source | str | None = None,
    source_column: str | None = None,
    prefix: str = "",
    workers: int | tuple[int, int],
    batch_size: int = 256,
    **options: Any,
) -> ray.data.Dataset:
    """Return a data set whose rows have `label`, `risk`, `blocked`, `action` and `error` besides.

    `error` says why a row could not be checked (no string, unknown source, over the policy's cap,
    a check that broke), without its text, and is null for all others. `label` and `risk` are null
    then, and `blocked` is true, unless `Policy(on_error="allow")` or shadow mode answered.

    Args:
        dataset: The corpus.
        guard: Who judges; every worker gets a copy by pickle.
        text: Column of the texts.
        source: Where they come from; by default from users.
        source_column: Column that says so for each row, in place of `source`.
        prefix: What the names of the new columns begin with.
        workers: Actors, each on one processor; or least and most of them.
        batch_size: Rows that an actor takes at a time.
        options: More for `map_batches`, such as `num_cpus` or `memory`.

    Raises:
        ImportError: Ray Data is not installed.
        InputError: An argument of the wrong kind, or columns that lack or collide (where they are
            known only to the workers, the job raises it).
    """
    data = require("ray.data", "ray")
    if not isinstance(dataset, data.Dataset):
        raise InputError(f"{type(dataset).__name__} is no ray.data.Dataset")
    rows = Rows(guard, text, source, source_column, prefix)
    columns = dataset.columns(fetch_if_missing=False)
    if columns is not None:
        rows.refuse(columns)
    least, most = workers if isinstance(workers, tuple) else (workers, workers)
    judged: ray.data.Dataset = dataset.map_batches(
        CheckBatches,
        fn_constructor_args=(rows,),
        batch_format="pyarrow",
        batch_size=batch_size,
        compute=data.ActorPoolStrategy(min_size=least, max_size=most),
        **options,
    )
    return judged
