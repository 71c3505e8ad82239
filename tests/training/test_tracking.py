from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from accelerate.tracking import GeneralTracker

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training import session, tracking, train
from tinyguardrail_sdk.training.config import TrainConfig

pytestmark = pytest.mark.train


class _FakeTracker(GeneralTracker):  # type: ignore[misc]
    name = "fake"
    requires_logging_directory = False

    def __init__(self) -> None:
        super().__init__()
        self.logged: list[tuple[int, dict[str, float]]] = []
        self.finished = False

    @property
    def tracker(self) -> object:
        return self

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        pass

    def log(self, values: dict[str, float], step: int, **_: object) -> None:
        self.logged.append((step, values))

    def finish(self) -> None:
        self.finished = True


def test_a_tracker_gets_the_numbers_of_every_record(
    make_config: Callable[..., TrainConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = _FakeTracker()
    monkeypatch.setattr(session, "checked_tracker", lambda name: fake if name else None)
    train.main(make_config(tracker="tensorboard"))
    steps = [step for step, values in fake.logged if "train/loss" in values]
    assert steps == [2, 4, 6, 8]
    assert fake.logged[0][1]["train/branches/deep/loss"] > 0
    validated = [values for _, values in fake.logged if "validation/score" in values]
    assert len(validated) == 2
    assert "validation/routed/per_class/benign/f1" in validated[0]
    assert all(isinstance(value, float) for _, values in fake.logged for value in values.values())
    assert fake.finished


def test_a_run_without_a_tracker_logs_nowhere(
    make_config: Callable[..., TrainConfig],
) -> None:
    config = make_config(schedule={"max_steps": 1})
    train.main(config)
    assert not (config.output / "tensorboard").exists()


def test_a_tracker_that_is_not_installed_names_its_cure(
    make_config: Callable[..., TrainConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    config = make_config(tracker="tensorboard")
    with pytest.raises(InputError, match=r"tensorboard needs a package.* pip install .*\[train\]"):
        train.main(config)
    assert not config.output.exists()


def test_an_unknown_tracker_is_refused(make_config: Callable[..., TrainConfig]) -> None:
    with pytest.raises(InputError, match="tracker"):
        make_config(tracker="tensorbord")
