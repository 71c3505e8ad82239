"""Short prompts that turn a model: pairs, languages, spans, splits."""

from __future__ import annotations

import random
from collections import Counter

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks import turned


def test_pairs_have_one_family_and_both_labels_and_every_fourth_is_german() -> None:
    rows = list(turned.generate(random.Random(3), 800))

    for clean, attacked in zip(rows[::2], rows[1::2], strict=True):
        assert (clean.label, attacked.label) == (Label.BENIGN, Label.INJECTION)
        assert clean.family == attacked.family
        assert clean.language == attacked.language
        assert clean.source is attacked.source is Source.USER
        assert clean.span is None
        assert attacked.span == (0, len(attacked.text))
    assert Counter(e.language for e in rows) == {"en": 600, "de": 200}
    assert len({e.text for e in rows}) > 700


def test_held_out_frames_are_not_learnt() -> None:
    learnt, kept = (
        {e.family for e in turned.generate(random.Random(4), 600, heldout=held)}
        for held in (False, True)
    )
    assert kept
    assert not learnt & kept
