"""Outputs, documents with tasks for people and soft orders: labels, pairs, spans, splits."""

from __future__ import annotations

import json
import random

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data import orders, sheets, twins
from tinyguardrail_sdk.training.data.attacks import carried, indirect
from tinyguardrail_sdk.training.data.benign import answers
from tinyguardrail_sdk.training.data.carriers import Carrier
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.split import assigned_split


def carried_pairs(count: int) -> list[tuple[Example, Example]]:
    rows = list(carried.generate(random.Random(3), 2 * count))
    return list(zip(rows[::2], rows[1::2], strict=True))


def test_every_carried_attack_stands_beside_a_harmless_answer_like_it() -> None:
    for clean, attacked in carried_pairs(300):
        assert clean.label is Label.BENIGN
        assert attacked.label is not Label.BENIGN
        assert clean.span is None
        assert clean.family == attacked.family
        assert clean.source is attacked.source is Source.OUTPUT
        assert attacked.span is not None
        marked = attacked.text[slice(*attacked.span)]
        assert len(marked) >= 10
        assert marked not in clean.text


def test_only_jailbreaks_that_worked_are_jailbreaks() -> None:
    for _, attacked in carried_pairs(300):
        worked = attacked.technique == "carried/comply"
        assert (attacked.label is Label.JAILBREAK) == worked


def test_images_of_both_twins_are_images() -> None:
    found = [pair for pair in carried_pairs(600) if pair[1].technique == "carried/exfil_image"]

    assert len(found) > 20
    assert all("![" in example.text for pair in found for example in pair)


def test_answers_hold_install_commands_and_password_help() -> None:
    text = "\n".join(e.text for e in answers.generate(random.Random(4), 1500))

    for words in ("| bash", "Forgot password?", "system prompt", "](https://", '"arguments"'):
        assert words in text


def test_shown_documents_keep_their_terms_and_stay_benign() -> None:
    place = Carrier("The ferry leaves at nine.", "prose", Source.DOCUMENT, "x", terms="share-alike")
    rng = random.Random(5)
    shown = [answers.shown(rng, [place]) for _ in range(60)]
    held = [e for e in shown if place.text in e.text]

    assert len(held) > 10
    assert all(e.terms == "share-alike" for e in held)
    assert all((e.label, e.source) == (Label.BENIGN, Source.OUTPUT) for e in shown)


def test_long_sheets_are_long() -> None:
    rng = random.Random(6)
    lengths = [len(sheets.grow_long_sheet(rng).text) for _ in range(80)]

    assert min(lengths) >= 1700
    assert max(lengths) <= 6000


def test_sheets_end_where_a_document_does() -> None:
    rng = random.Random(9)
    for grow in (sheets.grow_sheet, sheets.grow_long_sheet):
        found = [sheet for _ in range(600) if (sheet := grow(rng)).format in ("json", "html")]

        texts = [sheet.text for sheet in found if sheet.format == "json"]
        assert any('\\"' in text for text in texts)
        assert all(json.loads(text) for text in texts)
        assert all(sheet.text.endswith(">") for sheet in found if sheet.format == "html")


def test_soft_orders_are_planted_and_kept_apart() -> None:
    rng = random.Random(7)
    soft = [orders.planted(rng).family for _ in range(1500)]
    share = sum(family.startswith("indirect:soft/") for family in soft) / len(soft)

    assert 0.2 < share < 0.4
    test = {indirect.soft(rng, heldout=True)[1] for _ in range(100)}
    assert len(test) >= 3
    assert not test & set(soft)


def test_small_tasks_are_harmless_from_a_user_and_attacks_in_a_document() -> None:
    found: dict[str, set[Label]] = {}
    for example in twins.generate(random.Random(8), 4000):
        if example.family.endswith("indirect:soft/side_task"):
            found.setdefault(example.technique, set()).add(example.label)

    assert found["twin_user"] == {Label.BENIGN}
    assert found["indirect_request"] == {Label.INJECTION}
    assert found["twin_clean"] == {Label.BENIGN}


def test_validation_holds_outputs_of_both_kinds() -> None:
    rng = random.Random(9)
    rows = [*answers.generate(rng, 3000), *carried.generate(rng, 1500)]
    held = [e for e in rows if assigned_split(e) == "validation"]
    attacked = [e for e in held if e.label is not Label.BENIGN]

    assert len(held) - len(attacked) > 0.06 * len(rows)
    assert len(attacked) > 0.15 * 750
    assert len({e.family for e in attacked}) >= 4
