"""What the adapters for corpora share, on Arrow tables without an engine around them."""

from __future__ import annotations

from typing import Any

import pytest

from tinyguardrail_sdk import CheckpointError, Guard, Policy
from tinyguardrail_sdk.adapters._rows import COLUMNS, Rows
from tinyguardrail_sdk.testing import ScriptedClassifier

pyarrow: Any = pytest.importorskip("pyarrow", reason="pip install 'tinyguardrail-sdk[ray]'")


def judged(column: Any, guard: Guard) -> list[tuple[Any, ...]]:
    rows = Rows(guard, "text", "document", None, "")
    found = rows.judged(pyarrow.table({"text": column})).to_pylist()
    return [tuple(row[name] for name in COLUMNS) for row in found]


@pytest.fixture
def classifier() -> ScriptedClassifier:
    return ScriptedClassifier({"explode": RuntimeError("the engine said: explode")})


@pytest.mark.parametrize(
    ("policy", "blocked", "action"),
    [
        (Policy(), True, "block"),
        (Policy(on_error="block"), True, "block"),
        (Policy(on_error="allow"), False, "allow"),
        (Policy(shadow=True), False, "flag"),
    ],
)
def test_a_check_that_breaks_has_an_error_whatever_the_policy_answers(
    classifier: ScriptedClassifier, policy: Policy, blocked: bool, action: str
) -> None:
    found = judged(["hello", "explode"], Guard(policy=policy, classifier=classifier))
    assert found[0][2:] == (False, "allow", None)
    assert found[1][:4] == (None, None, blocked, action)
    assert "the check broke (RuntimeError)" in found[1][4]


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view", "dictionary"])
def test_strings_of_every_kind_are_read(classifier: ScriptedClassifier, kind: str) -> None:
    kinds = {
        "string": pyarrow.string(),
        "large_string": pyarrow.large_string(),
        "string_view": pyarrow.string_view(),
        "dictionary": pyarrow.dictionary(pyarrow.int8(), pyarrow.string()),
    }
    judged(pyarrow.array(["a", "b", "a"]).cast(kinds[kind]), Guard(classifier=classifier))
    assert [text for text, _ in classifier.calls] == ["a", "b", "a"]


@pytest.mark.parametrize("value", [7, b"hello", ["hello"], None])
def test_what_is_no_string_could_not_be_checked(
    classifier: ScriptedClassifier, value: object
) -> None:
    ((label, risk, blocked, action, error),) = judged([value], Guard(classifier=classifier))
    assert (label, risk, blocked, action) == (None, None, True, "block")
    assert f"not {type(value).__name__}" in error


def test_a_damaged_checkpoint_is_no_matter_of_a_row() -> None:
    broken = ScriptedClassifier({"hello": CheckpointError("damaged")})
    with pytest.raises(CheckpointError):
        judged(["hello"], Guard(classifier=broken))


def test_no_rows_give_typed_columns(classifier: ScriptedClassifier) -> None:
    empty = pyarrow.table({"text": pyarrow.array([], "string")})
    table = Rows(Guard(classifier=classifier), "text", None, None, "").judged(empty)
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {"text": "string"} | COLUMNS | {"blocked": "bool"}
