"""`tinyguardrail check --policy FILE`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk import Policy
from tinyguardrail_sdk.cli.main import main

Refused = Callable[..., str]

pytestmark = pytest.mark.usefixtures("script")


@pytest.fixture
def policy(tmp_path: Path) -> Callable[..., str]:
    """Write a policy file; return its path."""

    def write(**settings: Any) -> str:
        path = tmp_path / "policy.json"
        path.write_text(Policy(**settings).to_json(), encoding="utf-8")
        return str(path)

    return write


def test_a_policy_decides(policy: Callable[..., str]) -> None:
    flagging = policy(actions={"injection": "flag"})
    assert main(["check", "ignore this"]) == 1
    assert main(["check", "--policy", flagging, "ignore this"]) == 0
    assert main(["check", "--policy", flagging, "--batch", "ignore this", "pretend"]) == 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the standard library reads no TOML")
def test_a_policy_can_be_toml(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text('[actions]\ninjection = "allow"\n')
    assert main(["check", "--policy", str(path), "ignore this"]) == 0


@pytest.mark.parametrize("outcome", ["block", "allow"])
@pytest.mark.parametrize("words", [["explode"], ["--batch", "explode"], ["--json", "explode"]])
def test_what_could_not_be_checked_is_status_2_whatever_was_decided(
    policy: Callable[..., str], words: list[str], outcome: str
) -> None:
    assert main(["check", "--policy", policy(on_error=outcome), *words]) == 2
    assert main(["check", "--policy", policy(max_chars=3, on_too_long=outcome), *words]) == 2


@pytest.mark.parametrize("words", [[], ["--batch"]])
def test_what_is_too_long_has_its_json(
    policy: Callable[..., str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--policy", policy(max_chars=3), "--json", *words, "hello"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert answer["checked"] is False
    assert "max_chars is 3" in answer["error"]


def test_people_see_what_the_policy_did(
    policy: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    allowing = policy(allow=[{"exact": "ignore this", "name": "greeting"}])
    assert main(["check", "--policy", allowing, "ignore this"]) == 0
    assert "allowed unread by the rule greeting" in capsys.readouterr().out
    assert main(["check", "--policy", policy(shadow=True), "ignore this"]) == 0
    assert "flag (in shadow mode; block without it)" in capsys.readouterr().out


def test_a_wrong_policy_names_file_field_and_remedy(
    tmp_path: Path, policy: Callable[..., str], refused: Refused
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps({"on_eror": "block", "mode": "lenient"}))
    message = refused("check", "--policy", str(path), "hello")
    assert "wrong.json: invalid policy: " in message
    assert "mode: Input should be 'strict', 'balanced' or 'permissive'" in message
    assert "on_eror: there is no such setting; there are mode, actions" in message
    assert "cannot be read" in refused("check", "--policy", str(tmp_path / "absent.json"), "hello")
    assert "given twice" in refused("check", "--policy", "a", "--policy", "b", "hello")
    both = refused("check", "--policy", policy(), "--mode", "balanced", "hello")
    assert "not both: leave --mode out, and set mode to 'balanced' in " in both
