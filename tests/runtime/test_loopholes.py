"""Ways by which a blocked or unread text might once have passed."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk import Action, Blocked, CustomDetector, Guard, InputError, Label, Policy
from tinyguardrail_sdk.calls import owned
from tinyguardrail_sdk.chunks import held_chunks
from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.testing import ScriptedClassifier

ATTACK = "EVIL text"


def make(policy: Policy | None = None, *detectors: CustomDetector) -> Guard:
    classifier = ScriptedClassifier({"EVIL": Label.INJECTION})
    return Guard(classifier=classifier, policy=policy, detectors=detectors)


def broken(text: str) -> float:
    raise RuntimeError("no")


def test_one_message_in_place_of_a_list_is_read() -> None:
    message = {"role": "user", "content": ATTACK}
    assert owned(message, Source.USER) == [message]
    ask = make().protect(extract=lambda q: {"role": "user", "content": q})(lambda q: "ran")
    with pytest.raises(Blocked):
        ask(ATTACK)


def test_an_allowed_label_of_a_detector_does_not_hide_a_blocked_one() -> None:
    policy = Policy(actions={Label.OBFUSCATION: Action.ALLOW})
    sure = CustomDetector("sure", lambda text: 1.0, Label.OBFUSCATION)
    verdict = make(policy, sure).check(ATTACK)
    assert verdict.blocked
    assert verdict.label is Label.INJECTION
    assert make(policy, sure).check("fine").action is Action.ALLOW
    other = CustomDetector("other", lambda text: 0.99, Label.JAILBREAK)
    assert make(policy, sure, other).check("fine").blocked


def test_a_broken_detector_does_not_undo_what_the_network_found() -> None:
    guard = make(Policy(on_error="allow"), CustomDetector("broken", broken))
    assert guard.check(ATTACK).blocked
    harmless = guard.check("fine")
    assert harmless.action is Action.ALLOW
    assert not harmless.checked


def test_a_copied_mark_protects_nothing() -> None:
    guard = make()
    inner = guard.protect("q")(lambda q: "inner")

    @functools.wraps(inner)
    def outer(q: str) -> str:
        return "ran"

    with pytest.raises(Blocked):
        guard.protect("q")(outer)(ATTACK)


def test_a_keyword_does_not_shadow_a_positional_prompt() -> None:
    def ask(q: str, /, **more: Any) -> str:
        return "ran"

    with pytest.raises(Blocked):
        make().protect("q")(ask)(ATTACK, q="fine")


def test_what_would_check_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="parentheses"):
        make().protect(lambda q: "ran")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="empty"):
        CustomDetector("nowhere", lambda text: 1.0, sources=())
    with pytest.raises(InputError, match="on_block"):
        held_chunks(make().stream(on_block="no"), ["a"], lambda chunk: [("text", chunk)])


def test_a_redacted_message_does_not_part_what_stands_around_it() -> None:
    classifier = ScriptedClassifier({"one\ntwo": Label.INJECTION, "EVIL": Label.INJECTION})
    guard = Guard(classifier=classifier, policy=Policy(actions={Label.INJECTION: Action.REDACT}))
    found = guard.check_messages(["one", "fine.\nEVIL text", "two"])
    assert [each.verdict.blocked for each in found] == [False, True, False, True]
    assert found[-1].joined == (0, 2)


def test_two_files_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["check", "--file", "a", "--file", "b"])
    assert stopped.value.code == 2
    assert "given twice" in capsys.readouterr().err


def test_a_file_name_given_as_text_is_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.txt"
    page.write_text("Hello there, how are you?", encoding="utf-8")
    main(["check", str(page)])
    assert "--file F reads a file" in capsys.readouterr().err
    main(["check", "How do I open page.txt?" + "x" * 5000])
    assert "--file F reads a file" not in capsys.readouterr().err
