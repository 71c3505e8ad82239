"""What the adapters for corpora share: tables with a text a row in, the same with answers out.

The tables are Arrow's, which Ray and Spark both hand to their workers as they are: every other
column goes through untouched.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar

from tinyguardrail_sdk.checker import as_source
from tinyguardrail_sdk.errors import CheckFailed, InputError
from tinyguardrail_sdk.guard import Guard
from tinyguardrail_sdk.labels import Action, Source

if TYPE_CHECKING:
    import pyarrow

TableT = TypeVar("TableT", bound="pyarrow.Table | pyarrow.RecordBatch")

# The columns that a row gets, and their types as Arrow and Spark both spell them.
COLUMNS = {
    "label": "string",
    "risk": "double",
    "blocked": "boolean",
    "action": "string",
    "error": "string",
}


@dataclass(frozen=True)
class Rows:
    """How the rows of a corpus are judged; goes to every worker by pickle.

    Equal are only copies of one, so that a worker can tell that it has it already.

    Attributes:
        guard: Who judges.
        text: Column of the text.
        source: Where all texts come from; None for users, or where a column says it.
        source_column: Column that says where each text comes from.
        prefix: What the names of the added columns begin with.

    Raises:
        InputError: An argument of the wrong kind, or two that contradict each other.
    """

    guard: Guard = field(compare=False)
    text: str = field(compare=False)
    source: Source | str | None = field(compare=False)
    source_column: str | None = field(compare=False)
    prefix: str = field(compare=False)
    key: str = field(default_factory=lambda: uuid.uuid4().hex, init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.guard, Guard):
            raise InputError("guard must be a Guard, such as Guard(policy=Policy(mode='strict'))")
        if self.source is not None and self.source_column is not None:
            raise InputError("pass source or source_column, not both")
        if self.source is not None:
            as_source(self.source)

    @property
    def added(self) -> dict[str, str]:
        """The columns that are added: names and types."""
        return {f"{self.prefix}{name}": kind for name, kind in COLUMNS.items()}

    def refuse(self, columns: Sequence[str]) -> None:
        """Refuse a corpus that lacks a column, or has one of those that are added.

        Raises:
            InputError: Names the column and the remedy.
        """
        for name in filter(None, (self.text, self.source_column)):
            if list(columns).count(name) != 1:
                raise InputError(f"need one column {name!r}; there are {', '.join(columns)}")
        # In Spark `Label` and `label` are one name.
        taken = {name.lower() for name in columns} & {name.lower() for name in self.added}
        if taken:
            raise InputError(
                f"{', '.join(sorted(taken))}: there is such a column already; rename it, or pass "
                "prefix='guard_'"
            )

    def judged(self, table: TableT) -> TableT:
        """Return a table with the answer to each row in columns at its end.

        Raises:
            InputError: As `refuse`.
            CheckpointError: The checkpoint is damaged.
        """
        import pyarrow

        self.refuse(table.schema.names)
        texts = table.column(self.text).to_pylist()
        sources: Any = repeat(Source.USER if self.source is None else self.source)
        if self.source_column is not None:
            sources = table.column(self.source_column).to_pylist()
        answers = [self._answer(text, source) for text, source in zip(texts, sources, strict=False)]
        schema, columns = table.schema, list(table.columns)
        for place, (name, kind) in enumerate(self.added.items()):
            column = pyarrow.array([each[place] for each in answers], pyarrow.type_for_alias(kind))
            schema = schema.append(pyarrow.field(name, column.type))
            columns.append(column)
        judged: TableT = type(table).from_arrays(columns, schema=schema)
        return judged

    def _answer(self, text: Any, source: Any) -> tuple[str | None, float | None, bool, str, Any]:
        """Label, risk, blocked, action, error: without label and risk where nothing was read."""
        try:
            verdict = self.guard.check(text, source=source)
        except (InputError, CheckFailed) as error:  # one bad row does not end the job
            return None, None, True, str(Action.BLOCK), str(error)
        action = str(verdict.action)
        if verdict.error is not None:
            return None, None, verdict.blocked, action, verdict.error
        return str(verdict.label), verdict.risk, verdict.blocked, action, None
