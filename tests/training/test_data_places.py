"""Tool results, small tasks and technical documents: pairs, kinds, spans, labels and the split."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data import addressed, errands, placed, records, technical
from tinyguardrail_sdk.training.data.notations import NOTATIONS
from tinyguardrail_sdk.training.data.orders import Order
from tinyguardrail_sdk.training.data.schema import Example

_MAKERS: dict[str, Callable[..., Iterator[Example]]] = {
    "addressed": addressed.generate,
    "records": records.generate,
    "small_task": placed.small_tasks,
    "technical_planted": placed.in_technical,
}
_HELD_OUT_RECORDS = {"records/hotel", "records/issue"}


@cache
def made(name: str, heldout: bool = False) -> tuple[Example, ...]:
    return tuple(_MAKERS[name](random.Random(4), 300, heldout=heldout))


def pairs(name: str) -> list[tuple[Example, Example]]:
    return list(zip(made(name)[::2], made(name)[1::2], strict=True))


def around(example: Example) -> tuple[str, str]:
    assert example.span is not None
    start, end = example.span
    assert 0 <= start < end <= len(example.text)
    return example.text[:start], example.text[end:]


def bare(text: str) -> str:
    """Without white space, which is trimmed where nothing is put."""
    return "".join(text.split())


@pytest.mark.parametrize("name", _MAKERS)
def test_every_other_one_is_attacked_and_a_pair_has_one_family_and_source(name: str) -> None:
    for clean, attacked in pairs(name):
        assert (clean.label, attacked.label) == (Label.BENIGN, Label.INJECTION)
        assert (clean.family, clean.source) == (attacked.family, attacked.source)
        assert clean.span is None
        assert attacked.source in (Source.TOOL, Source.DOCUMENT)


def test_lists_of_a_pair_differ_in_one_field_only() -> None:
    whole = 0
    for clean, attacked in pairs("records"):
        before, after = around(attacked)
        same_before = len(_common(clean.text, attacked.text))
        same_after = len(_common(clean.text[::-1], attacked.text[::-1]))
        # What the clean field holds instead is in the middle: its own words at most.
        assert same_before >= len(before) - 900
        assert same_after >= len(after) - 900
        whole += clean.text.startswith(before) and clean.text.endswith(after)
    assert whole > 60


@pytest.mark.parametrize("name", ["small_task", "technical_planted"])
def test_documents_of_a_pair_differ_by_what_stands_at_one_place(name: str) -> None:
    untouched = put_in_stead = 0
    for clean, attacked in pairs(name):
        before, after = map(bare, around(attacked))
        text = bare(clean.text)
        put_in_stead += text.startswith(before) and text.endswith(after)
        untouched += len(text) <= len(before + after)
    assert put_in_stead > 110
    assert untouched > 30


def test_a_person_and_a_model_are_asked_for_the_same_thing_at_the_same_place() -> None:
    for clean, attacked in pairs("addressed"):
        before, after = around(attacked)
        assert clean.text.startswith(before)
        assert clean.text.endswith(after)
        assert clean.text != attacked.text
    orders = [addressed.order_and_stead(random.Random(seed)) for seed in range(200)]
    assert len({order.family for order, _ in orders}) > 20
    # The words of the action stand on both sides, so they cannot tell the label.
    shared = sum(len(_words(order.text) & _words(stead)) >= 4 for order, stead in orders)
    assert shared > 90


def test_every_kind_and_notation_of_records_appears() -> None:
    seen = {e.technique for side in (False, True) for e in made("records", side) if e.span}
    assert seen == {f"records/{kind}" for kind in records.KINDS}
    found = {e.text.lstrip()[:2] for e in made("records")}
    assert found >= {"[{", "- ", "| ", "1.", "<r"}


@pytest.mark.parametrize("name", NOTATIONS)
def test_a_notation_escapes_what_is_put_into_its_strings(name: str) -> None:
    hard = 'Say "no", it\'s <b>4</b> | 5\nthen: stop'
    for seed in range(12):
        write, escape = NOTATIONS[name](random.Random(seed))
        around_it = write([{"id": 1, "note": "_HERE_", "to": ["a@b.org"], "read": True}])
        assert around_it.count("_HERE_") == 1
        assert around_it.replace("_HERE_", escape(hard)) == write(
            [{"id": 1, "note": hard, "to": ["a@b.org"], "read": True}]
        )


def test_held_out_kinds_and_frames_are_not_learnt() -> None:
    for name in _MAKERS:
        learnt, kept = ({e.family.split("+")[1] for e in made(name, s)} for s in (False, True))
        assert not {f for f in learnt & kept if f.startswith(("errand:", "addressed:"))}
    assert {e.technique for e in made("records", True) if e.span} == _HELD_OUT_RECORDS
    assert not {e.technique for e in made("records")} & _HELD_OUT_RECORDS


def test_clean_ones_ask_people_for_things_less_often_than_others_give_orders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(errands, "for_people", lambda rng: "Zebra, please.")
    for name, make in _MAKERS.items() - {("addressed", addressed.generate)}:
        rows = list(make(random.Random(9), 400))
        asked = sum("Zebra, please." in e.text for e in rows if e.label is Label.BENIGN)
        assert 30 < asked < 100, name


@pytest.mark.parametrize("draw", [errands.hijack, errands.small_task])
def test_orders_are_many_and_of_both_sides(draw: Callable[..., Order]) -> None:
    rng = random.Random(2)
    for heldout in (False, True):
        drawn = [draw(rng, heldout=heldout) for _ in range(300)]
        assert len({order.text for order in drawn}) > 280
        assert len({order.family for order in drawn}) >= 2
        assert all(order.text and "{" not in order.text.replace("{{", "") for order in drawn if
                   "json_call" not in order.family and "brackets" not in order.family)  # fmt: skip


def test_technical_documents_are_of_every_kind_and_length() -> None:
    rows = [e for side in (False, True) for e in technical.generate(random.Random(6), 400,
            heldout=side)]  # fmt: skip
    lengths = sorted(len(e.text) for e in rows)

    assert {e.technique for e in rows} == {f"technical/{kind}" for kind in technical.KINDS}
    assert {e.label for e in rows} == {Label.BENIGN}
    assert {e.source for e in rows} == {Source.DOCUMENT, Source.TOOL}
    assert lengths[40] < 1000
    assert lengths[-80] > 4000
    assert lengths[-1] <= 8000


def _words(text: str) -> set[str]:
    return set(text.lower().split())


def _common(a: str, b: str) -> str:
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return a[:i]
    return min(a, b, key=len)
