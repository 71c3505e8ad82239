import copy
import json
import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from tinyguardrail_sdk import (
    Action,
    Blocked,
    Finding,
    InputError,
    Label,
    Pattern,
    Route,
    Verdict,
)
from tinyguardrail_sdk.bits import pack, unpack

FINDING = Finding(Pattern.OVERRIDE, 0.75, 2, 9, "asks to drop instructions", None)
VERDICT = Verdict(
    label=Label.INJECTION,
    scores={
        Label.BENIGN: 0.0,
        Label.INJECTION: 1.0,
        Label.JAILBREAK: 0.0,
        Label.OBFUSCATION: 0.0,
    },
    risk=1.0,
    confidence=1.0,
    action=Action.BLOCK,
    route=Route.FAST,
    findings=(FINDING, Finding(Pattern.FLIP, 0.5, 0, 1, "reversed words", "seen")),
    span=(0, 12),
    scanned=(12, 12),
    latency_ms=1.5,
    model_version="1.2.3",
)
ALLOWED = Verdict(
    label=Label.BENIGN,
    scores=dict.fromkeys(Label, 0.25),
    risk=0.75,
    confidence=0.25,
    action=Action.ALLOW,
    route=Route.ESCALATED,
    findings=(),
    span=(0, 0),
    scanned=(0, 0),
    latency_ms=0.0,
    model_version="1.2.3",
)


def test_the_json_has_the_names_of_the_design_in_their_order() -> None:
    assert list(json.loads(VERDICT.to_json())) == [
        "label",
        "scores",
        "risk",
        "confidence",
        "blocked",
        "action",
        "route",
        "findings",
        "span",
        "scanned",
        "bits",
        "latency_ms",
        "model_version",
        "checked",
    ]


def test_a_verdict_that_was_not_reached_says_so_in_its_json() -> None:
    unreached = replace(ALLOWED, scores={}, error="inference failed")
    fields = unreached.to_dict()
    assert (fields["checked"], fields["error"]) == (False, "inference failed")
    assert VERDICT.to_dict()["checked"] is True
    assert "error" not in VERDICT.to_dict()


def test_the_json_holds_what_the_attributes_hold() -> None:
    fields = json.loads(VERDICT.to_json())
    for name, value in fields.items():
        if name not in {"scores", "findings", "span", "scanned"}:
            assert value == getattr(VERDICT, name), name
    assert fields["scores"] == {"benign": 0, "injection": 1, "jailbreak": 0, "obfuscation": 0}
    assert fields["span"] == [0, 12]
    assert fields["scanned"] == [12, 12]
    assert fields["findings"][0] == {
        "pattern": "override",
        "score": 0.75,
        "start": 2,
        "end": 9,
        "reason": "asks to drop instructions",
        "decoded": None,
    }


def test_json_is_ascii_and_keeps_lone_surrogates() -> None:
    odd = Finding(Pattern.ENCODING, 1.0, 0, 1, "decoded", "\ud800\u202e")
    shown = replace(VERDICT, findings=(odd,)).to_json()
    assert shown.isascii()
    assert json.loads(shown)["findings"][0]["decoded"] == "\ud800\u202e"


def test_the_layout_of_the_word() -> None:
    # injection, blocked, fast, flags flip......override, confidence 63
    assert VERDICT.bits == 0b01_1_0_100001_111111
    # benign, not blocked, deep by escalation, no flags, round(0.25 * 63)
    assert ALLOWED.bits == 0b00_0_1_000000_010000


def test_a_word_decodes_to_what_it_was_made_of() -> None:
    response = Verdict.from_bits(VERDICT.bits)
    assert response.label is Label.INJECTION
    assert response.blocked is True
    assert response.deep is False
    assert response.patterns == (Pattern.FLIP, Pattern.OVERRIDE)
    assert response.confidence == 1.0


def test_every_word_survives_unpacking_and_packing() -> None:
    assert [pack(unpack(word)) for word in range(1 << 16)] == list(range(1 << 16))


@pytest.mark.parametrize("word", [-1, 1 << 16, "7", 7.0, None])
def test_what_is_no_word_is_refused(word: int) -> None:
    with pytest.raises(InputError, match="0 to 65535"):
        Verdict.from_bits(word)


def test_blocked_carries_the_verdict() -> None:
    with pytest.raises(Blocked) as caught:
        VERDICT.raise_if_blocked()
    assert caught.value.verdict is VERDICT
    assert "injection" in str(caught.value)


def test_an_allowed_or_flagged_text_raises_nothing() -> None:
    ALLOWED.raise_if_blocked()
    flagged = replace(VERDICT, action=Action.FLAG)
    flagged.raise_if_blocked()
    assert not flagged.blocked


def test_verdicts_are_frozen_hashable_and_cross_processes() -> None:
    with pytest.raises(AttributeError):
        VERDICT.risk = 0.0  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(VERDICT)) == VERDICT
    assert hash(copy.deepcopy(VERDICT)) == hash(VERDICT)


def test_blocked_travels_between_processes_with_its_verdict() -> None:
    received = pickle.loads(pickle.dumps(Blocked(VERDICT)))
    assert received.verdict == VERDICT
    assert str(received) == str(Blocked(VERDICT))


@pytest.mark.parametrize("name", ["risk", "blocked", "bits", "nonsense"])
def test_nothing_can_be_assigned_to(name: str) -> None:
    with pytest.raises(FrozenInstanceError, match=name):
        setattr(VERDICT, name, False)
