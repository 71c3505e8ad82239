from __future__ import annotations

from dataclasses import dataclass

import pytest

from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.training.config import TrainConfig, load_config
from tinyguardrail_sdk.training.fields import described
from tinyguardrail_sdk.training.pipeline.config import PipelineConfig
from tinyguardrail_sdk.training.settings import build, flat, override


def listed(capsys: pytest.CaptureFixture[str], command: str) -> list[str]:
    with pytest.raises(SystemExit) as stop:
        main([command, "--fields"])
    assert stop.value.code == 0
    return capsys.readouterr().out.splitlines()


def test_what_train_lists_is_what_set_takes(capsys: pytest.CaptureFixture[str]) -> None:
    words = [line for line in listed(capsys, "train") if not line.startswith(" ")]
    assert {word.partition("=")[0] for word in words} == set(flat(TrainConfig().to_dict()))
    assert load_config(None, words) == TrainConfig()


def test_what_pipeline_lists_is_what_set_takes(capsys: pytest.CaptureFixture[str]) -> None:
    words = [line for line in listed(capsys, "pipeline") if not line.startswith(" ")]
    assert "train.optimizer.lr=5e-05" in words
    assert build(PipelineConfig, override({}, words)) == PipelineConfig()


def test_every_field_is_explained_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listed(capsys, "pipeline")
    place = lines.index("train.optimizer.ema=0.0")
    assert "validated and kept" in lines[place + 1]
    assert not any(
        not line.startswith(" ") and not below.startswith("    ")
        for line, below in zip(lines, [*lines[1:], ""], strict=True)
    )


@dataclass
class Documented:
    """Anything.

    Attributes:
        first: One line: with a colon.
        second: Two
            lines.

    Raises:
        ValueError: Never.
    """

    first: int = 0
    second: int = 0


def test_a_docstring_is_read_attribute_by_attribute() -> None:
    assert described(Documented) == {"first": "One line: with a colon.", "second": "Two\nlines."}
    assert described(int) == {}
