import json
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk import (
    Action,
    AllowRule,
    GuardrailError,
    Label,
    Mode,
    Policy,
    PolicyError,
    Source,
)

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
        ({"actions": {"x": "block"}}, "there are 'injection', 'jailbreak', 'obfuscation'"),
        (
            {"actions": {"document": "block"}},
            "'obfuscation'; for one source it is source_actions={'document': {label: action}}",
        ),
        ({"source_actions": {"tool": {"x": "block"}}}, "tool.x.[key]: there is no such attack"),
        ({"max_chars": 0}, "greater than 0"),
        ({"on_error": "ignore"}, "'raise', 'block' or 'allow'"),
        ({"threshold": 0.5}, "no such setting; there are mode, actions"),
        ({"allow": [{"exact": "a", "sauces": []}]}, "allow.0.sauces: there is no such setting; "),
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


def test_policies_are_frozen_and_say_how_to_get_another() -> None:
    policy = Policy()
    with pytest.raises(PolicyError, match=r"frozen.*model_copy\(update=\{'mode': \.\.\.\}\)"):
        policy.mode = Mode.STRICT
    with pytest.raises(PolicyError, match="frozen"):
        del policy.mode
    assert policy == Policy()


def test_a_copy_with_other_settings_is_checked_too() -> None:
    policy = Policy(max_chars=5, actions={Label.JAILBREAK: Action.FLAG})
    assert policy.model_copy(update={"mode": "strict"}) == Policy(
        mode=Mode.STRICT, max_chars=5, actions={Label.JAILBREAK: Action.FLAG}
    )
    assert policy.model_copy() == policy
    with pytest.raises(PolicyError, match="'strict', 'balanced' or 'permissive'"):
        policy.model_copy(update={"mode": "lenient"})


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


def test_the_action_of_a_source_comes_before_that_of_the_label() -> None:
    policy = Policy(
        actions={Label.INJECTION: Action.FLAG, Label.JAILBREAK: Action.REDACT},
        source_actions={Source.TOOL: {Label.INJECTION: Action.ALLOW}},
    )
    assert policy.action(Label.INJECTION, Source.TOOL) is Action.ALLOW
    assert policy.action(Label.INJECTION, Source.USER) is Action.FLAG
    assert policy.action(Label.JAILBREAK, Source.TOOL) is Action.REDACT
    assert policy.action(Label.OBFUSCATION, Source.TOOL) is Action.BLOCK
    assert policy.action(Label.BENIGN, Source.TOOL) is Action.ALLOW
    assert policy.decide(LEANS_JAILBREAK, 0.5, Source.TOOL) == (Label.JAILBREAK, Action.REDACT)


def test_the_outcome_of_a_source_comes_before_the_common_one() -> None:
    policy = Policy(on_error="block", source_on_error={Source.TOOL: "allow"})
    assert {policy.outcome(source) for source in Source if source is not Source.TOOL} == {"block"}
    assert policy.outcome(Source.TOOL) == "allow"
    with pytest.raises(TypeError, match="cannot be changed"):
        policy.source_on_error.clear()  # type: ignore[attr-defined]


EVERYTHING = Policy(
    mode=Mode.STRICT,
    actions={Label.JAILBREAK: Action.FLAG},
    source_actions={Source.DOCUMENT: {Label.INJECTION: Action.REDACT}},
    allow=(
        AllowRule(exact="good\nmorning", name="greeting"),
        AllowRule(regex=r"ticket \d+", sources=(Source.USER, Source.TOOL), timeout_ms=5),
        AllowRule(sha256="ab" * 32),
    ),
    shadow=True,
    replacement="▒",
    deadline_ms=40.5,
    max_chars=9000,
    on_too_long="block",
    on_error="allow",
    source_on_error={Source.TOOL: "block", Source.DOCUMENT: "raise"},
)


def test_json_gives_the_same_policy_again(tmp_path: Path) -> None:
    assert Policy.from_json(EVERYTHING.to_json()) == EVERYTHING
    assert hash(Policy.from_json(EVERYTHING.to_json())) == hash(EVERYTHING)
    assert Policy.from_json(Policy().to_json()) == Policy()
    file = tmp_path / "policy.json"
    file.write_text(EVERYTHING.to_json(), encoding="utf-8")
    assert Policy.load(file) == EVERYTHING
    assert Policy.load(str(file)).to_json() == EVERYTHING.to_json()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the standard library reads no TOML")
def test_toml_says_the_same_as_json(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(
        'mode = "strict"\nshadow = true\nreplacement = "▒"\ndeadline_ms = 40.5\n'
        'max_chars = 9000\non_too_long = "block"\non_error = "allow"\n'
        'source_on_error = { tool = "block", document = "raise" }\n'
        'actions = { jailbreak = "flag" }\n[source_actions.document]\ninjection = "redact"\n'
        '[[allow]]\nexact = "good\\nmorning"\nname = "greeting"\n'
        '[[allow]]\nregex = \'ticket \\d+\'\nsources = ["user", "tool"]\ntimeout_ms = 5\n'
        f'[[allow]]\nsha256 = "{"ab" * 32}"\n',
        encoding="utf-8",
    )
    assert Policy.load(file) == EVERYTHING


@pytest.mark.parametrize(
    ("name", "content", "remedy"),
    [
        ("p.json", '{"source_actions": {"mail": {}}}', "source_actions.mail"),
        ("p.json", '{"source_actions": {"tool": {"benign": "block"}}}', "name an attack label"),
        ("p.json", '{"source_on_error": {"tool": "ignore"}}', "source_on_error.tool: .*'raise'"),
        ("p.json", '{"source_on_error": {"mail": "block"}}', "source_on_error.mail.*'user'"),
        ("p.json", '{"allow": [{"exact": "a"}, {}]}', "allow.1: .*one of exact"),
        ("p.json", '{"allow": [{"regex": "("}]}', "allow.0.regex: .*no pattern"),
        ("p.json", '{"shadow": "perhaps"}', "shadow: "),
        ("p.json", '{"mode": "strict", "mode": "balanced"}', "twice"),
        ("p.json", "[]", "a JSON object"),
        ("p.json", "{", "no JSON"),
        ("p.json", '{"self": 1}', "self: "),
        ("p.toml", "deadline_ms = 0", "deadline_ms: .*greater than 0"),
        ("p.toml", "mode =", "no TOML"),
        ("p.yaml", "", ".toml or a .json"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_the_field(
    tmp_path: Path, name: str, content: str, remedy: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(PolicyError, match=remedy) as caught:
        Policy.load(tmp_path / name)
    assert name in str(caught.value)


def test_a_missing_file_is_a_policy_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"absent\.json: cannot be read"):
        Policy.load(tmp_path / "absent.json")
