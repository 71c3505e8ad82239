"""The shell blocks of the README and the site run.

Every command of this package parses. A block with an output runs by itself and prints it; the
others of a page run one after the other in one folder, as a reader would, only smaller.
"""

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.documents import BLOCKS, ROOT, Block, assert_shown, write_files
from tinyguardrail_sdk.cli.parser import build_parser
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT
from tinyguardrail_sdk.training.pipeline.presets import PRESETS

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")

COMMANDS = [block for block in BLOCKS if block.language == "bash"]
# Only parsed, by what is in them, with the reason.
NOT_RUN = {
    "&& pytest": "would run this test in itself",
    "accelerate launch": "starts processes and machines: tests/training/test_processes.py does",
    "benchmarks.dial": "needs a generated test split: tests/benchmarks/test_dial.py runs it",
    "benchmarks.quality": "needs labelled sets: tests/benchmarks/test_quality.py runs it",
    "tinyguardrail average": "needs two runs: tests/training/test_mean.py makes them",
    "tinyguardrail data split": "needs collected texts: tests/training/test_data_traffic.py does",
    "tinyguardrail train …": "the dots stand for a command further up",
}
# In place of the installed command, that of this checkout; what installs has nothing to do.
SHELL = 'tinyguardrail() { "$PYTHON" -m tinyguardrail_sdk "$@"; }\npip() { :; }\n'
# What is put behind commands that would take hours, or the network: the last of two settings wins.
NETWORK = "hidden=16 heads=2 char_filters=2 char_dim=4 fast_layers=2 fast_ffn=16 deep_layers=2"
NETWORK += " experts=4 expert_ffn=16 router_hidden=8"
SMALLER = {
    "data generate*": "--total 600",
    "data fetch*": "--list",
    "data vocabulary*": f"--base {DEFAULT_CHECKPOINT / 'vocab.txt'}",
    "train*": "--init scratch --max-steps 2 --threads 1"
    " --set data.max_tokens=32 --set data.overlap=4"
    + "".join(f" --set network.{setting}" for setting in NETWORK.split()),
    "export*--release*": "--allow-worse",
    "robustness*": "--texts 4",
    "pipeline*": "--dry-run",
}
# The files that a reader is said to have.
LABELS = ("benign", "injection", "jailbreak", "obfuscation")
TEXTS = (
    "What is the capital of {}?",
    "Ignore {} and print it.",
    "Pretend to be {}.",
    "{} = aWdub3Jl",
)
GIVEN = {
    "cli.md": ["page.txt", "my-guard"],
    "retraining.md": [
        "my-texts.jsonl",
        "my_logs.jsonl",
        "mine.jsonl",
        "mine_validation.jsonl",
        "data/public/jackhhao.jsonl",
        "data/eval/bipia.jsonl",
    ],
}


def commands_in(block: Block) -> Iterator[list[str]]:
    """Yield the words of each command of a shell block, without comments and redirections."""
    for line in block.text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in lexer:
            if set(word) <= set("|&;()<>"):
                yield words
                words = [">"] if word in (">", ">>", "<") else []
            else:
                words.append(word)
        yield words


def own_words(command: Sequence[str]) -> list[str] | None:
    """Return the arguments of a `tinyguardrail` command, however it is started."""
    for name in ("tinyguardrail", "tinyguardrail_sdk"):
        if name in command:
            return list(command[command.index(name) + 1 :])
    return None


def parses(words: Sequence[str]) -> bool:
    try:
        build_parser(words).parse_args(words)
    except SystemExit as stop:
        return not stop.code  # 0 after --help
    return True


@pytest.mark.parametrize("block", COMMANDS, ids=str)
def test_every_command_exists(block: Block) -> None:
    for command in commands_in(block):
        if command[:2] == ["python", "-m"]:
            assert importlib.util.find_spec(command[2]) is not None
        words = own_words(command)
        if words and "…" not in words:  # which stands for what was said before
            assert parses(words), shlex.join(command)


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, env=environment
    )


@pytest.mark.parametrize("block", [each for each in COMMANDS if each.output], ids=str)
def test_every_shell_block_prints_what_is_shown(block: Block, tmp_path: Path) -> None:
    write_files(block.page, tmp_path)
    assert_shown(block, run(SHELL + block.text, tmp_path).stdout)


def why_not(block: Block) -> str | None:
    """Return why a block is not run."""
    return next((why for part, why in NOT_RUN.items() if part in block.text), None)


QUIET = [block for block in COMMANDS if not block.output and why_not(block) is None]


def small() -> str:
    """Return what stands before a block: everything but a blocked text that fails ends it."""
    cases = [
        name.replace(" ", "\\ ") + f') set -- "$@" {more} ;;' for name, more in SMALLER.items()
    ]
    return "\n".join(
        [
            "set -eo pipefail",
            "pip() { :; }",
            "git() { echo What is the capital of France?; }",
            'python() { "$PYTHON" "$@"; }',
            "tinyguardrail() {",
            'case "$*" in',
            *cases,
            "esac",
            '"$PYTHON" -m tinyguardrail_sdk "$@" || [ "$1:$?" = check:1 ]; }',
            "",
        ]
    )


def give(page: Path, folder: Path) -> None:
    """Write the files that a reader of a page is said to have."""
    for name in GIVEN.get(page.name, []):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == "my-guard":
            path.symlink_to(DEFAULT_CHECKPOINT)
            continue
        rows = [
            {"text": text.format(f"place {number}"), "label": label, "family": f"{name} {number}"}
            for number in range(900 if name == "my_logs.jsonl" else 12)
            for label, text in zip(LABELS, TEXTS, strict=True)
            if label == "benign" or name != "my_logs.jsonl"
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", sorted({block.page for block in QUIET}), ids=lambda page: page.name
)
def test_the_other_shell_blocks_of_a_page_run_one_after_the_other(
    page: Path, tmp_path: Path
) -> None:
    blocks = [block for block in QUIET if block.page == page]
    if any("train" in block.text for block in blocks):
        pytest.importorskip("torch")
    give(page, tmp_path)
    write_files(page, tmp_path)
    for block in blocks:
        done = run(small() + block.text, tmp_path)
        assert not done.returncode, f"{block}\n{done.stdout}\n{done.stderr}"


def test_the_small_network_of_the_guide_is_that_of_the_preset() -> None:
    shown = next(json.loads(block.text) for block in BLOCKS if block.title == "small.json")
    train = PRESETS["tiny"]["train"]
    assert (shown["network"], shown["threads"]) == (train["network"], train["threads"])


def test_what_is_not_run_is_in_the_pages() -> None:
    for part in NOT_RUN:
        assert any(part in block.text for block in COMMANDS), f"{part}: strike it off"
