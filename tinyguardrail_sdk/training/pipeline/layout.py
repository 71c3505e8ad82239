"""Where things stand in the run folder of a pipeline."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tinyguardrail_sdk.training.checkpoint import RunFolder
from tinyguardrail_sdk.training.pipeline.config import PipelineConfig


@dataclass(frozen=True)
class Layout:
    """Paths of one run.

    Attributes:
        root: The run folder, absolute: a run goes on from wherever it is called.
        checkpoint: The exported checkpoint.
        mixed: Whether training takes the mixed data.
    """

    root: Path
    checkpoint: Path
    mixed: bool

    @classmethod
    def of(cls, config: PipelineConfig) -> Layout:
        """The layout of a configuration."""
        root = config.output.resolve()
        return cls(root, root / config.export.name, config.data.mixed)

    @property
    def state(self) -> Path:
        """What is finished."""
        return self.root / "pipeline.json"

    @property
    def fetched(self) -> Path:
        """Public data sets."""
        return self.root / "public"

    @property
    def generated(self) -> Path:
        """Generated parts."""
        return self.root / "data"

    @property
    def data(self) -> Path:
        """The parts that training and evaluation take."""
        return self.root / "mixed" if self.mixed else self.generated

    def part(self, name: str) -> Path:
        """File of `train`, `validation` or `test`."""
        return self.data / f"{name}.jsonl.gz"

    @property
    def run(self) -> RunFolder:
        """The training run."""
        return RunFolder(self.root / "train")

    @property
    def evaluation(self) -> Path:
        """Figures on the test part, and in `scores.npz` what every text got."""
        return self.root / "evaluation"

    @property
    def comparison(self) -> Path:
        """What differs from the shipped checkpoint."""
        return self.root / "comparison.json"

    @property
    def report(self) -> Path:
        """Page and pictures."""
        return self.root / "report"

    @property
    def metrics(self) -> Path:
        """The figures of the whole run."""
        return self.root / "final_metrics.json"

    def clear(self) -> None:
        """Remove what a pipeline made; anything else in the folder stays."""
        for folder in (
            self.fetched, self.generated, self.root / "mixed", self.run.root, self.checkpoint,
            self.evaluation, self.report,
        ):  # fmt: skip
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.comparison, self.metrics, self.state):
            file.unlink(missing_ok=True)
