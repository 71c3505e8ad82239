"""`tinyguardrail check`: read texts, judge them, write verdicts."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tinyguardrail_sdk.classifier import EmbeddedClassifier
from tinyguardrail_sdk.cli import ALLOWED, BLOCKED, COULD_NOT_CHECK, encodings, inputs, render
from tinyguardrail_sdk.cli.inputs import BadItem, Item
from tinyguardrail_sdk.cli.progress import ProgressBar
from tinyguardrail_sdk.cli.terminal import wants_color
from tinyguardrail_sdk.errors import CheckFailed, InputError, InputTooLong
from tinyguardrail_sdk.guard import Guard
from tinyguardrail_sdk.labels import Mode, Source
from tinyguardrail_sdk.policy import Policy
from tinyguardrail_sdk.verdict import Verdict


def run(arguments: argparse.Namespace) -> int:
    """Check what the command line names; return the exit status."""
    encodings.refuse_unknown(arguments.encoding)
    path = inputs.input_path(arguments)
    bar = ProgressBar(sys.stderr)
    many = arguments.batch or arguments.jsonl
    guard = open_guard(arguments, None if many else bar.update)
    if many:
        return _check_items(guard, arguments, path, bar)
    if path is None:
        text = " ".join(arguments.text)
        inputs.note_paths([text])
    else:
        text = inputs.whole_text(path, arguments.encoding)
    try:
        verdict = guard.check(text, source=arguments.source)
    except (CheckFailed, InputTooLong) as error:
        if arguments.json:
            _write(json.dumps(_unchecked(str(error))))
        raise
    finally:
        bar.clear()
    if arguments.json:
        _write(verdict.to_json())
    else:
        mode = guard.policy.mode
        threshold = guard.classifier.info.thresholds[Source(arguments.source)][mode]
        color = wants_color(sys.stdout)
        _write(*render.verdict_lines(text, verdict, mode, threshold, color=color))
    if verdict.error is not None:  # whatever the policy makes of it
        return COULD_NOT_CHECK
    return BLOCKED if verdict.blocked else ALLOWED


def open_guard(
    arguments: argparse.Namespace, progress: Callable[[int, int], None] | None = None
) -> Guard:
    """Make the guard that the command line describes, its network open.

    Raises:
        CheckpointError: The checkpoint is missing or damaged.
        InputError: Policy and mode are both given.
        PolicyError: The policy's file cannot be used.
    """
    classifier = EmbeddedClassifier(
        arguments.checkpoint, threads=arguments.threads, progress=progress
    )
    guard = Guard(policy=chosen_policy(arguments), classifier=classifier)
    # Opens the network and reads nothing: else the first `latency_ms` would be that of opening.
    classifier.classify("", Source(arguments.source))
    return guard


def chosen_policy(arguments: argparse.Namespace) -> Policy:
    """Return the policy in the file, or the default one in the mode that was named.

    Raises:
        InputError: There are both.
        PolicyError: The file cannot be read, or a setting in it is wrong.
    """
    if arguments.policy is None:
        return Policy(mode=Mode(arguments.mode or Mode.BALANCED))
    if arguments.mode is not None:
        raise InputError(
            f"give --mode or --policy, not both: leave --mode out, and set mode to "
            f"{arguments.mode!r} in {arguments.policy}"
        )
    return Policy.load(arguments.policy)


@dataclass
class _Tally:
    checked: int = 0
    blocked: int = 0
    failed: int = 0

    def status(self) -> int:
        if self.failed:
            return COULD_NOT_CHECK
        return BLOCKED if self.blocked else ALLOWED

    def summary(self) -> str:
        return f"{self.checked} checked, {self.blocked} blocked, {self.failed} could not be checked"


def _check_items(
    guard: Guard, arguments: argparse.Namespace, path: str | None, bar: ProgressBar
) -> int:
    structured = arguments.json or arguments.jsonl
    tally = _Tally()
    for item in _items(arguments, path, bar):
        answer = _answer(guard, item)
        if isinstance(answer, Verdict) and answer.error is None:
            tally.checked += 1
            tally.blocked += answer.blocked
        else:
            tally.failed += 1
        bar.clear()
        _write(_as_json(item, answer) if structured else _as_text(item, answer))
    bar.clear()
    if tally.failed or not structured:
        sys.stdout.flush()
        sys.stderr.write(f"tinyguardrail: {tally.summary()} (mode {guard.policy.mode})\n")
    return tally.status()


def _items(
    arguments: argparse.Namespace, path: str | None, bar: ProgressBar
) -> Iterator[Item | BadItem]:
    source = arguments.source
    if path is None:
        inputs.note_paths(arguments.text)
        return (Item(number, text, source) for number, text in enumerate(arguments.text, start=1))
    found = inputs.lines(path, arguments.encoding, source, bar.update)
    return map(inputs.parse_json_line, found) if arguments.jsonl else inputs.not_blank(found, path)


def _answer(guard: Guard, item: Item | BadItem) -> Verdict | str:
    if isinstance(item, BadItem):
        return item.error
    try:
        return guard.check(item.text, source=item.source)
    except (InputError, CheckFailed) as error:  # a damaged checkpoint ends the run instead
        return str(error)


def _as_json(item: Item | BadItem, answer: Verdict | str) -> str:
    fields: dict[str, Any] = {"line": item.line, **item.passed}
    fields |= answer.to_dict() if isinstance(answer, Verdict) else _unchecked(answer)
    return json.dumps(fields)


def _unchecked(error: str) -> dict[str, Any]:
    return {"checked": False, "error": error}


def _as_text(item: Item | BadItem, answer: Verdict | str) -> str:
    color = wants_color(sys.stdout)
    if isinstance(answer, Verdict) and isinstance(item, Item):
        return render.verdict_line(item.line, item.text, answer, color=color)
    return render.error_line(item.line, str(answer), color=color)


def _write(*lines: str) -> None:
    # Flushed line by line: whoever reads the pipe may be waiting for this very verdict.
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
