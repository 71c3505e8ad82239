"""What is wrong with a command line is said at once, before the libraries for training load."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT
from tinyguardrail_sdk.training.inputs import data

Refused = Callable[..., str]

pytestmark = pytest.mark.train

TEXTS = ["--train", "{data}", "--validation", "{data}"]
_GENERATE = "tinyguardrail data generate"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["train", "--train", "no.jsonl", "--validation", "no.jsonl"], "--train: no.jsonl"),
        (["evaluate", "no.jsonl"], "PATH: no.jsonl"),
        (["robustness", "no.jsonl"], "PATH: no.jsonl"),
        (["calibrate", "--checkpoint", "{checkpoint}", "--validation", "no"], "--validation: no:"),
        (["calibrate", "--checkpoint", "{checkpoint}", "--benign", "no"], "--benign: no:"),
        (["compare", "{checkpoint}", "--data", "no.jsonl"], "--data: no.jsonl"),
        (["report", "--data", "no.jsonl", "--output", "out"], "--data: no.jsonl"),
        (["data", "mine", "no.jsonl", "--output", "out"], "F: no.jsonl"),
        (["data", "mutate", "no.jsonl", "--output", "out"], "F: no.jsonl"),
        (["data", "mix", "no.jsonl", "--output", "out"], "PATH: no.jsonl"),
        (["data", "audit", "no.jsonl"], "PATH: no.jsonl"),
        (["data", "generate", "--pool", "no.jsonl", "--output", "out"], "--pool: no.jsonl"),
    ],
)
def test_a_missing_data_file_names_argument_file_and_remedy(
    checkpoint: Path, refused: Refused, words: list[str], shown: str
) -> None:
    message = refused(*(word.format(checkpoint=checkpoint) for word in words))
    assert message.startswith(f"tinyguardrail: {shown}")
    assert "no such file" in message
    assert _GENERATE in message
    assert message.count("\n") == 1


def test_a_folder_without_data_says_so(tmp_path: Path, refused: Refused) -> None:
    message = refused("evaluate", str(tmp_path))
    assert "PATH: no .jsonl or .jsonl.gz file in" in message
    assert _GENERATE in message


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["train", "--train", "{folder}", "--validation", "{folder}"], "--train"),
        (["data", "mine", "{folder}", "--output", "out"], "F"),
        (["data", "mutate", "{folder}", "--output", "out"], "F"),
    ],
)
def test_a_folder_in_place_of_a_file_names_one_in_it(
    tmp_path: Path, refused: Refused, words: list[str], shown: str
) -> None:
    row = '{"text": "hello", "label": "benign"}\n'
    (tmp_path / "all.jsonl").write_text(row, encoding="utf-8")
    told = refused(*(word.format(folder=tmp_path) for word in words))
    assert f"{shown}: {tmp_path}: is a folder; give a file in it" in told
    assert told.endswith(f"such as {tmp_path / 'all.jsonl'}\n")
    with gzip.open(tmp_path / "train.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(row)
    told = refused(*(word.format(folder=tmp_path) for word in words))
    assert told.endswith(f"such as {tmp_path / 'train.jsonl.gz'}\n")


SENSELESS = [
    (["train"], "--train is missing"),
    (["train", "--set", "optimizer.lrr=1"], "did you mean optimizer.lr?"),
    (["train", *TEXTS, "--from", "shiped"], "did you mean shipped?"),
    (["train", "--config", "no.json"], "config no.json: cannot be read"),
    (["train", "--config", "."], "config .: is a folder; give a .json or .toml file"),
    (["train", "--resume", "--output", "none"], "nothing to resume"),
    (["evaluate", "{data}", "--checkpoint", "none"], "--checkpoint: none: no such checkpoint"),
    (["train", *TEXTS, "--init", "no/such/base"], "--init: no pretrained base 'no/such/base'"),
    (["train", *TEXTS, "--init", "none.zip"], "--init: no pretrained base 'none.zip'"),
    (["train", *TEXTS, "--from", "none.zip"], "--init: no pretrained base 'none.zip'"),
    (["train", *TEXTS, "--init", "{folder}"], "the folder holds none of training.json"),
    (["export", "--run", "none", "--output", "out"], "--run: none: no such folder"),
    (
        ["export", "--run", "{folder}", "--output", "out"],
        "has some from its first checkpoint on",
    ),
    (["calibrate", "--checkpoint", "none", "--benign", "{data}"], "make one with"),
    (["compare", "none"], "make one with"),
    (["pipeline", "--preset", "tinny"], "no preset is called tinny; there are: colab"),
    (["pipeline", "--set", 'data.inputs=["none.jsonl"]'], "data.inputs: none.jsonl: no such file"),
    (["data", "mutate", "{data}", "--output", "o", "--mutation", "x"], "no mutation x"),
    (["data", "generate", "--output", "out", "--total", "0"], "total must be at least 1"),
    (["data", "fetch", "deepset"], "--output is missing"),
    (["calibrate", "--checkpoint", "{checkpoint}"], "either --validation"),
    (["calibrate", "--checkpoint", "{checkpoint}", "--target-fpr", "7"], "in [0, 1)"),
    (
        ["train", "--train", "{spam}", "--validation", "{data}"],
        "--train: spam.jsonl, line 2: label",
    ),
    (
        ["train", "--train", "{data}", "--validation", "{words}"],
        "--validation: words.jsonl, line 1",
    ),
    (["train", *TEXTS, "--validation", "{packed}"], "--validation: packed.jsonl.gz, after line 0"),
    (["evaluate", "{words}"], "PATH: words.jsonl, line 1: a row is a line with"),
    (["evaluate", "{plain}"], "of these 1 the labels are 'harmful_plain'"),
    (["report", "--data", "{plain}", "{plain}", "--output", "o"], "of these 2 the labels are"),
    (["robustness", "{packed}"], "PATH: packed.jsonl.gz, after line 0: not UTF-8 text, or damaged"),
    (["calibrate", "--checkpoint", "{checkpoint}", "--validation", "{plain}"], "or leave them out"),
    (["calibrate", "--checkpoint", "{checkpoint}", "--benign", "{attack}"], "harmless texts only"),
    (["compare", "{checkpoint}", "--data", "{words}"], "--data: words.jsonl, line 1: a row"),
    (["data", "mine", "{spam}", "--output", "o"], "F: spam.jsonl, line 2: label 'spam' is none of"),
    (
        ["pipeline", "--set", 'data.inputs=["spam.jsonl"]'],
        "data.inputs: spam.jsonl, line 2: 'spam'",
    ),
    (["pipeline", "--set", 'data.pools=["spam.jsonl"]'], "data.pools: spam.jsonl, line 2: a pool"),
    (
        [
            "pipeline",
            "--set",
            'data.inputs=["data.jsonl"]',
            "--set",
            'data.against=["words.jsonl"]',
        ],
        "data.against: words.jsonl, line 1: a row",
    ),
]
ROW = '{{"text": "x", "label": "{}"}}\n'
FILES = {
    "data.jsonl": ROW.format("benign"),
    "spam.jsonl": ROW.format("benign") + ROW.format("spam"),
    "plain.jsonl": ROW.format("harmful_plain"),
    "attack.jsonl": ROW.format("injection"),
    "words.jsonl": "hello\n",
    "packed.jsonl.gz": "not packed",
}
# Answers them one after the other, as JSON on lines: an interpreter for each would take long.
ANSWERS = """
import json, sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from tinyguardrail_sdk.cli.main import main

for line in sys.stdin:
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(json.loads(line))
        except SystemExit as stop:
            status = stop.code
    loaded = sorted({"torch", "sklearn"} & set(sys.modules))
    print(json.dumps([status, out.getvalue(), err.getvalue(), loaded]))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """By the message that is due: status, output, errors, and which libraries were loaded."""
    folder = tmp_path_factory.mktemp("senseless")
    (folder / "empty").mkdir()
    for name, content in FILES.items():
        (folder / name).write_text(content, encoding="utf-8")
    named = {name.partition(".")[0]: name for name in FILES}
    names = {**named, "checkpoint": DEFAULT_CHECKPOINT, "folder": "empty"}
    lines = [json.dumps([word.format(**names) for word in words]) for words, _ in SENSELESS]
    done = subprocess.run(
        [sys.executable, "-c", ANSWERS],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    told = map(json.loads, done.stdout.splitlines())
    return {message: answer for (_, message), answer in zip(SENSELESS, told, strict=True)}


@pytest.mark.parametrize("message", [message for _, message in SENSELESS])
def test_what_makes_no_sense_is_refused_without_loading_torch(
    answers: dict[str, list[Any]], message: str
) -> None:
    status, out, err, loaded = answers[message]
    assert (status, out, loaded) == (2, "", [])
    assert message in err
    assert err.startswith("tinyguardrail: ")


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="pipes have no path here")
def test_a_pipe_is_not_read_before_its_time() -> None:
    reading, writing = os.pipe()
    os.write(writing, FILES["words.jsonl"].encode())
    os.close(writing)
    data(Path(f"/dev/fd/{reading}"))
    with os.fdopen(reading) as left:
        assert left.read() == FILES["words.jsonl"]


def test_weights_one_folder_down_are_pointed_at(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "training.json").write_text("{}", encoding="utf-8")
    message = refused("export", "--run", str(tmp_path), "--output", str(tmp_path / "out"))
    assert f"give {tmp_path / 'best'}" in message


def test_data_of_another_run_is_not_written_over_unasked(tmp_path: Path, refused: Refused) -> None:
    kept = tmp_path / "train.jsonl.gz"
    kept.write_bytes(b"precious")
    words = ("data", "generate", "--output", str(tmp_path), "--total", "60")
    message = refused(*words)
    assert "holds train.jsonl.gz already" in message
    assert "--overwrite" in message
    assert kept.read_bytes() == b"precious"
    assert main([*words, "--overwrite"]) == 0
    assert kept.read_bytes() != b"precious"


@pytest.mark.parametrize(
    "command",
    [
        *("check", "info", "train", "average", "export", "calibrate", "evaluate", "robustness"),
        "compare",
        *(
            "report",
            "data generate",
            "data split",
            "data fetch",
            "data mix",
            "data audit",
            "data mine",
        ),
        *("data mutate", "data vocabulary"),
    ],
)
def test_the_help_of_every_command_has_two_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*command.split(), "--help"])
    shown = capsys.readouterr().out
    # `check` pipes into itself in one of its examples.
    assert shown.count(f"tinyguardrail {command} ") + shown.count(f"{command}\n") >= 3
