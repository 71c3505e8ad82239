"""What a pipeline is told: presets, files, words over them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Mode
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, Manifest, load_manifest
from tinyguardrail_sdk.training.export.release import ReleaseConfig
from tinyguardrail_sdk.training.pipeline import work
from tinyguardrail_sdk.training.pipeline.config import load_pipeline
from tinyguardrail_sdk.training.pipeline.layout import Layout
from tinyguardrail_sdk.training.pipeline.stages import stages
from tinyguardrail_sdk.training.targets import Targets

pytestmark = pytest.mark.train


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("data.sample=3", "did you mean data.samples?"),
        ("schedule={}", "did you mean train.schedule?"),
        ("lr=1", "did you mean train.optimizer.lr?"),
        ("data.inputs=rows.jsonl", """give one, such as ["rows.jsonl"]"""),
        ("train.optimizer.lrr=1", "did you mean train.optimizer.lr?"),
        ("data.samples=5", "at least 100"),
        ("data.against=[\"x\"]", "give fetch or inputs too"),
        ("export.name=a/b", "plain folder name"),
        ("export.name=..", "plain folder name"),
        ("export.name=train", "none of public, data"),
        ("compare.texts=-1", "0 takes all"),
        ("calibration.fast_shar=1", "did you mean calibration.fast_share?"),
        ("calibration.fast_share=1.5", "a share of texts in [0, 1]; 0.7 is usual"),
        ("calibration.false_alarms.balanced=2", "must be a share in [0, 1)"),
        ("calibration.floors.strict=low", "calibration.floors.strict"),
        ("calibration.floors.lax=0.1", "'strict', 'balanced' or 'permissive'"),
        ("workers=0", "at least 1"),
        ("train.output=elsewhere", "set output instead"),
        ("train.data.train=[\"x\"]", "data.inputs"),
        ("train.adversarial.kind=magic", "train.adversarial.kind"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_field_and_fix(word: str, said: str) -> None:
    with pytest.raises(InputError, match=word.partition("=")[0].split(".")[-1]) as caught:
        load_pipeline("tiny", None, [word])
    assert said in str(caught.value)


def test_a_file_stands_over_the_preset_and_words_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"data": {"samples": 500, "seed": 9}, "workers": 3}', encoding="utf-8")
    config = load_pipeline("large", path, ["data.seed=11"], {"output": "here"})
    assert (config.data.samples, config.data.seed, config.workers) == (500, 11, 3)
    assert (config.output, config.train.schedule.epochs) == (Path("here"), 5)
    with pytest.raises(InputError, match="colab, large, tiny"):
        load_pipeline("huge")


def test_the_checkpoint_is_calibrated_to_what_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["calibration.fast_share=0.5", "calibration.false_alarms.balanced=0.005"]
    config = load_pipeline("tiny", None, words, {"output": str(tmp_path)})
    usual = Targets()
    rates = {**usual.false_alarms, Mode.BALANCED: 0.005}
    assert config.calibration == Targets(fast_share=0.5, false_alarms=rates, floors=usual.floors)
    asked: list[ReleaseConfig] = []

    def write(run: Path, directory: Path, release: ReleaseConfig, *_: object) -> Manifest:
        directory.mkdir(parents=True)
        asked.append(release)
        return load_manifest(DEFAULT_CHECKPOINT)

    monkeypatch.setattr(work, "export_calibrated", write)
    layout = Layout.of(config)
    work.export(config, layout)
    assert [release.targets for release in asked] == [config.calibration]
    (stage,) = (stage for stage in stages(config, layout) if stage.name == "export")
    assert stage.settings["calibration.false_alarms.balanced"] == 0.005
    assert load_pipeline("tiny").calibration == usual


@pytest.mark.parametrize(("name", "samples"), [("colab", 15_000), ("large", 140_000)])
def test_presets_hold_the_recipe(name: str, samples: int) -> None:
    config = load_pipeline(name)
    train = config.train
    assert (config.data.samples, train.schedule.epochs) == (samples, 5)
    assert (train.data.max_rows, train.optimizer.accumulation) == (16, 4)
    assert train.data.tokens_per_batch >= 16 * train.data.max_tokens
    assert (train.adversarial.kind, train.adversarial.share) == ("fgsm", 0.5)
    # Epochs 3 and 4 of 5 begin after two and three of them.
    assert (train.adversarial.from_share, train.schedule.quantized_from) == (0.4, 0.6)
