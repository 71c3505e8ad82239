"""The mix: deterministic, labelled, balanced, without an easy way out by length."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.benign import GENERATORS
from tinyguardrail_sdk.training.data.generate import (
    GenerateConfig,
    build,
    build_parts,
    close_enough,
    mostly_latin,
)
from tinyguardrail_sdk.training.data.proportions import GENERATED
from tinyguardrail_sdk.training.data.report import auroc, shortcuts, summarise
from tinyguardrail_sdk.training.data.schema import Example


@pytest.fixture(scope="module")
def mixed() -> list[Example]:
    return build(GenerateConfig(total=4500))


def test_equal_configurations_make_equal_sets() -> None:
    config = GenerateConfig(total=400)

    assert build(config) == build(config)
    assert build(config) != build(GenerateConfig(seed=8, total=400))


def test_every_generator_has_its_share(mixed: list[Example]) -> None:
    kinds = {e.technique.split("/")[0] for e in mixed}

    assert set(GENERATORS) <= set(GENERATED)
    assert {"trigger", "edgy", "about", "scenario", "aiwords", "carrier", "harmless"} <= kinds
    assert {"twin_clean", "twin_user", "indirect_request", "guarded_clean"} <= kinds


def test_class_shares_hold_without_pools(mixed: list[Example]) -> None:
    shares = Counter(e.label for e in mixed)

    assert 0.3 < shares[Label.BENIGN] / len(mixed) < 0.65
    assert min(shares.values()) / len(mixed) > 0.08
    assert set(shares) == set(Label)


def test_attacks_and_benign_texts_come_from_every_reading_source(mixed: list[Example]) -> None:
    seen = {(e.source, e.label is Label.BENIGN) for e in mixed}

    assert seen == {(source, benign) for source in Source for benign in (True, False)}


def test_a_generator_can_be_left_out() -> None:
    examples = build(GenerateConfig(total=450, counts={"jailbreak": 0, "twins": 100}))

    assert Label.JAILBREAK not in {e.label for e in examples}


def test_unknown_generators_are_refused() -> None:
    with pytest.raises(ValueError, match="no generator named nonsense"):
        GenerateConfig(counts={"nonsense": 3})


def test_pool_rows_and_payloads_come_in(tmp_path: Path) -> None:
    rows = [
        {"text": "What is the tallest tree?", "label": "benign", "terms": "permissive"},
        {"text": "paint the moon zebra-striped", "label": "harmful_plain", "terms": "permissive"},
    ]
    pool = tmp_path / "mine.jsonl"
    pool.write_text("\n".join(map(json.dumps, rows)))

    texts = [e.text for e in build(GenerateConfig(total=900, pools=(pool,)))]

    assert "What is the tallest tree?" in texts
    assert sum("zebra-striped" in text for text in texts) > 5
    assert "paint the moon zebra-striped" not in texts


def test_length_alone_tells_little(mixed: list[Example]) -> None:
    assert 0.3 < shortcuts(mixed)["length"] < 0.75


def test_the_summary_counts_what_is_there(mixed: list[Example]) -> None:
    report = summarise(mixed)

    assert report["rows"] == len(mixed) == sum(report["by"]["label"].values())
    assert report["diversity"]["all"]["distinct_3"] > 50_000
    assert report["chars"]["benign"]["p50"] > 0
    json.dumps(report, allow_nan=False)


def test_auroc_counts_ties_half() -> None:
    scores = np.array([0.1, 0.4, 0.4, 0.9])
    positive = np.array([False, False, True, True])

    assert auroc(scores, positive) == pytest.approx(0.875)
    assert np.isnan(auroc(scores, np.ones(4, dtype=bool)))


def test_only_texts_that_ciphers_change_are_disguised() -> None:
    assert mostly_latin("How do I bake bread?")
    assert mostly_latin("Wie backe ich Brot für acht Gäste im Ofen, ohne Hefe zu nehmen?")
    assert not mostly_latin("रोटी कैसे बनाते हैं?")


def test_spans_stand_inside_their_texts(mixed: list[Example]) -> None:
    for example in mixed:
        if example.span is not None:
            start, end = example.span
            assert 0 <= start < end <= len(example.text)


def test_as_many_rows_are_made_as_are_asked_for() -> None:
    made = sum(map(len, build_parts(GenerateConfig(total=1000)).values()))
    assert 950 <= made <= 1050
    assert close_enough(1000, made)
    assert not close_enough(1000, 760)
