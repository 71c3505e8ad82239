import json
import pickle
from typing import Any

import pytest

from tinyguardrail_sdk import Action, GuardrailError, Label, Mode, Policy, PolicyError

# benign, injection, jailbreak, obfuscation
LEANS_BENIGN = (0.6, 0.1, 0.25, 0.05)
LEANS_JAILBREAK = (0.25, 0.1, 0.6, 0.05)


def test_under_the_threshold_the_label_is_benign_even_when_an_attack_leads() -> None:
    assert Policy().decide(LEANS_JAILBREAK, 0.8) == (Label.BENIGN, Action.ALLOW)


def test_over_the_threshold_the_label_is_the_likeliest_attack_even_when_benign_leads() -> None:
    assert Policy().decide(LEANS_BENIGN, 0.3) == (Label.JAILBREAK, Action.BLOCK)


def test_a_risk_equal_to_the_threshold_counts_as_an_attack() -> None:
    assert Policy().decide((0.5, 0.5, 0.0, 0.0), 0.5) == (Label.INJECTION, Action.BLOCK)


def test_each_label_has_its_own_action_and_the_others_block() -> None:
    policy = Policy(actions={Label.JAILBREAK: Action.FLAG, Label.OBFUSCATION: Action.ALLOW})
    assert policy.decide(LEANS_JAILBREAK, 0.5) == (Label.JAILBREAK, Action.FLAG)
    assert policy.decide((0.1, 0.2, 0.2, 0.5), 0.5) == (Label.OBFUSCATION, Action.ALLOW)
    assert policy.decide((0.1, 0.9, 0.0, 0.0), 0.5) == (Label.INJECTION, Action.BLOCK)


def test_the_defaults() -> None:
    policy = Policy()
    assert policy.mode is Mode.BALANCED
    assert policy.max_chars is None
    assert policy.on_error == "raise"


def test_strings_are_as_good_as_enums() -> None:
    settings: dict[str, Any] = {"mode": "strict", "actions": {"jailbreak": "flag"}}
    policy = Policy(**settings)
    assert policy == Policy(mode=Mode.STRICT, actions={Label.JAILBREAK: Action.FLAG})


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"mode": "lenient"}, "'strict', 'balanced' or 'permissive'"),
        ({"actions": {"benign": "block"}}, "name an attack label"),
        ({"actions": {"malware": "block"}}, "'injection'"),
        ({"max_chars": 0}, "greater than 0"),
        ({"on_error": "ignore"}, "'raise', 'block' or 'allow'"),
        ({"threshold": 0.5}, "threshold: "),
    ],
)
def test_nonsense_is_refused_with_the_setting_and_a_remedy(
    settings: dict[str, Any], remedy: str
) -> None:
    with pytest.raises(PolicyError, match=next(iter(settings))) as caught:
        Policy(**settings)
    assert remedy in str(caught.value)
    assert isinstance(caught.value, GuardrailError)
    assert isinstance(caught.value, ValueError)


def test_policies_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Policy().mode = Mode.STRICT


def test_actions_cannot_be_changed_and_policies_can_be_shared() -> None:
    policy = Policy(actions={Label.JAILBREAK: Action.FLAG})
    actions = policy.actions
    for change, arguments in (
        ("__setitem__", (Label.JAILBREAK, Action.ALLOW)),
        ("pop", (Label.JAILBREAK,)),
        ("update", ({Label.JAILBREAK: Action.ALLOW},)),
        ("clear", ()),
    ):
        with pytest.raises(TypeError, match="cannot be changed"):
            getattr(actions, change)(*arguments)
    assert actions == {Label.JAILBREAK: Action.FLAG}
    assert pickle.loads(pickle.dumps(policy)) == policy
    assert hash(policy) == hash(Policy(actions={Label.JAILBREAK: Action.FLAG}))
    assert json.loads(policy.model_dump_json())["actions"] == {"jailbreak": "flag"}
