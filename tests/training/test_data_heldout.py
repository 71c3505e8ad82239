"""Held-out attacks share no payload, lead or document with training ones."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

from tests.training.parting import split
from tinyguardrail_sdk.training.data.attacks import goals
from tinyguardrail_sdk.training.data.generate import GenerateConfig, generate
from tinyguardrail_sdk.training.data.proportions import GENERATED

_MARK = re.compile(r"(payload|lead|place)mark\d+x")
_COUNTS = {"jailbreak": 300, "injection": 300, "twins": 200, "guarded": 100}


def _rows() -> list[dict[str, str]]:
    """Made-up pools, a mark in every sentence; a third of the texts are of test upstreams."""
    rows = []
    for i in range(90):
        mine = i % 3 > 0
        question = f"Where is the leadmark{i}x shop, and when does it open?"
        line = f"The placemark{i}x ferry leaves at nine. "
        rows += [
            {"text": f"paint placards for payloadmark{i}x", "label": "harmful_plain"},
            {"text": question, "label": "benign", "source": "user",
             "upstream": "somewhere" if mine else "lmarena/arena-hard-auto"},
            {"text": line * 3, "label": "benign", "source": "document",
             "upstream": "elsewhere" if mine else "encode/httpx"},
        ]  # fmt: skip
    # The same text from two upstreams, in other letters.
    rows.append({**rows[1], "text": rows[1]["text"].upper(), "upstream": "somewhere"})
    return [row | {"terms": "permissive"} for row in rows]


def test_no_collected_text_stands_on_both_sides(tmp_path: Path) -> None:
    pool = tmp_path / "made_up.jsonl"
    pool.write_text("\n".join(map(json.dumps, _rows())), encoding="utf-8")
    config = GenerateConfig(
        total=2000,
        pools=(pool,),
        counts=dict.fromkeys(GENERATED, 0) | _COUNTS,
        heldout_share=1.0 - 1e-9,
    )
    parts = split(generate(config))
    found = {
        name: {match[0] for row in rows for match in _MARK.finditer(row.text.lower())}
        for name, rows in parts.items()
    }
    learned = found["train"] | found["validation"]
    assert not learned & found["test"]
    for side in (learned, found["test"]):  # and both sides have some of each kind
        assert {_MARK.fullmatch(mark)[1] for mark in side} == {  # type: ignore[index]
            "payload", "lead", "place",
        }  # fmt: skip


def test_payloads_are_parted_by_their_words() -> None:
    texts = [f"How do I paint the number {i} on a wall?" for i in range(2000)]
    held_out = [goals.is_held_out(text) for text in texts]
    assert 0.06 < sum(held_out) / len(texts) < 0.10
    assert held_out == [goals.is_held_out(f" {text.upper()[:-1]} ") for text in texts]


def test_our_own_goals_are_parted_too() -> None:
    rng = random.Random(3)
    for heldout in (False, True):
        drawn = [goals.pick(rng, (), heldout=heldout) for _ in range(50)]
        assert {goals.is_held_out(text) for text in drawn} == {heldout}
