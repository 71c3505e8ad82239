"""What a pipeline is told, from data to comparison: typed, and checked at construction.

Presets, file and `section.field=value` words are merged in that order before they are checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.data.pools import DEFAULT_TERMS
from tinyguardrail_sdk.training.pipeline.presets import PRESETS
from tinyguardrail_sdk.training.settings import build, dump, merge, override, read_values
from tinyguardrail_sdk.training.targets import Targets

# What else stands in the run folder.
FOLDERS = ("public", "data", "mixed", "train", "evaluation", "report")
# What the pipeline itself sets.
OWN_FIELDS = ("train.output", "train.data.train", "train.data.validation")


@dataclass(frozen=True)
class DataPlan:
    """What is generated, and what is mixed in.

    Attributes:
        samples: Rows generated, of train, validation and test together.
        seed: Of generating and mixing.
        pools: JSON lines of collected texts, or folders of them, that generators build on.
        terms: Licence groups allowed among pools, fetched sets and inputs.
        fetch: Public data sets for training, by the names that `data fetch --list` shows.
        inputs: JSON lines of your own, or folders of them, to mix in.
        against: Evaluation files and folders: near copies of their texts are dropped, as are those
            of the built-in regression set whenever something is mixed in.
    """

    samples: int = 15_000
    seed: int = 7
    pools: tuple[Path, ...] = ()
    terms: tuple[str, ...] = tuple(sorted(DEFAULT_TERMS))
    fetch: tuple[str, ...] = ()
    inputs: tuple[Path, ...] = ()
    against: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if self.samples < 100:
            raise ValueError(
                f"samples={self.samples} must be at least 100: fewer leave no validation texts"
            )
        if self.against and not self.mixed:
            raise ValueError("against is for mixing: give fetch or inputs too, or leave it out")

    @property
    def mixed(self) -> bool:
        """Whether anything is mixed into what is generated."""
        return bool(self.fetch or self.inputs)


@dataclass(frozen=True)
class ExportPlan:
    """What is exported.

    Attributes:
        name: Folder of the checkpoint in the run folder, and its name.
        model_version: What verdicts will report.
        four_bit: Store experts and token table in 4 bits.
    """

    name: str = "my-guard"
    model_version: str = "1.0.0"
    four_bit: bool = False

    def __post_init__(self) -> None:
        plain = Path(self.name).name == self.name and not self.name.startswith(".")
        if not plain or self.name in ("", *FOLDERS):
            raise ValueError(
                f"name={self.name!r} must be a plain folder name, such as my-guard, and none of "
                f"{', '.join(FOLDERS)}"
            )


@dataclass(frozen=True)
class ComparePlan:
    """What the shipped checkpoint is compared on.

    Attributes:
        texts: Of the built-in regression set, spread evenly; 0 takes all.
    """

    texts: int = 0

    def __post_init__(self) -> None:
        if self.texts < 0:
            raise ValueError(f"texts={self.texts} must not be negative; 0 takes all")


@dataclass(frozen=True)
class PipelineConfig:
    """A whole pipeline.

    Attributes:
        output: Run folder; all that is made stands in it.
        workers: Processes that generate and judge texts.
        data: See `DataPlan`.
        train: See `TrainConfig`; the pipeline itself sets `output`, `data.train` and
            `data.validation`.
        export: See `ExportPlan`.
        calibration: See `Targets`; what is exported is calibrated to them.
        compare: See `ComparePlan`.
    """

    output: Path = Path("runs/pipeline")
    workers: int = 1
    data: DataPlan = field(default_factory=DataPlan)
    train: TrainConfig = field(default_factory=TrainConfig)
    export: ExportPlan = field(default_factory=ExportPlan)
    calibration: Targets = field(default_factory=Targets)
    compare: ComparePlan = field(default_factory=ComparePlan)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers={self.workers} must be at least 1")
        if self.train.data.train or self.train.data.validation:
            raise ValueError(
                "train.data.train and train.data.validation are what the pipeline makes: "
                "leave them out, and name your own files in data.inputs"
            )
        if self.train.output != TrainConfig().output:
            raise ValueError("train.output is in the run folder: set output instead")

    def to_dict(self) -> dict[str, Any]:
        """The configuration as JSON types."""
        return dump(self)


def load_pipeline(
    preset: str,
    path: Path | None = None,
    overrides: Iterable[str] = (),
    chosen: Mapping[str, Any] | None = None,
) -> PipelineConfig:
    """Build a configuration from a preset, a file over it, then flags, then overrides.

    Args:
        preset: A key of `PRESETS`.
        path: A `.json` or `.toml` file, or None.
        overrides: Such as `train.optimizer.lr=1e-4`.
        chosen: Values of flags.

    Raises:
        InputError: The preset, a field or a value makes no sense; the message names the fix.
    """
    if preset not in PRESETS:
        raise InputError(f"no preset is called {preset}; there are: {', '.join(PRESETS)}")
    # Of targets by mode some may be given: the others stay as they are.
    usual = merge({"calibration": dump(Targets())}, PRESETS[preset])
    values = merge(usual, {} if path is None else read_values(path))
    return build(PipelineConfig, override(merge(values, chosen or {}), overrides))
