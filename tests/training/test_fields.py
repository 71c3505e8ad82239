from __future__ import annotations

from dataclasses import dataclass

import pytest

from tinyguardrail_sdk.cli.main import main
from tinyguardrail_sdk.training.config import TrainConfig, load_config
from tinyguardrail_sdk.training.fields import described
from tinyguardrail_sdk.training.pipeline.config import OWN_FIELDS, load_pipeline
from tinyguardrail_sdk.training.pipeline.presets import PRESETS
from tinyguardrail_sdk.training.settings import flat


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main([*words, "--fields"]) == 0
    return capsys.readouterr().out.splitlines()


def fields(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith(" ")]


def test_what_train_lists_is_what_set_takes(capsys: pytest.CaptureFixture[str]) -> None:
    words = fields(listed(capsys, "train", "--set", "optimizer.lr=1e-4"))
    assert {word.partition("=")[0] for word in words} == set(flat(TrainConfig().to_dict()))
    assert load_config(None, words) == load_config(None, ["optimizer.lr=1e-4"])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_pipeline_lists_what_its_preset_sets(
    preset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = fields(listed(capsys, "pipeline", "--preset", preset))
    known = {name for name in flat(load_pipeline(preset).to_dict()) if "floors" not in name}
    names = {word.partition("=")[0] for word in words}
    assert {name for name in known if "false_alarms" not in name} - names == set(OWN_FIELDS)
    assert load_pipeline("large", overrides=words) == load_pipeline(preset)


def test_every_field_is_explained_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    lines = listed(capsys, "pipeline")
    place = lines.index("train.optimizer.ema=0.0")
    assert "validated and kept" in lines[place + 1]
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        assert line.startswith(" ") or below.startswith("    "), line


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
