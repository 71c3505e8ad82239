"""Where things stand in the run folder of a pipeline."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.checkpoint import RunFolder
from tinyguardrail_sdk.training.pipeline.config import FOLDERS, PipelineConfig


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
    def unfinished(self) -> Path:
        """What is kept of a stage until it is finished."""
        return self.root / ".unfinished"

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
    def audit(self) -> Path:
        """What training learns from, and its shortcuts."""
        return self.root / "audit.json"

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

    def refuse_strangers(self) -> None:
        """Leave a folder alone that holds what no pipeline made.

        Raises:
            InputError: Something stands where this run would write, and there is no state of a run.
        """
        if not self.state.exists() and (taken := [p for p in self._owned() if p.exists()]):
            raise InputError(f"{taken[0]} exists, and no pipeline made it; give another --output")

    def clear(self) -> None:
        """Remove what a pipeline made; anything else in the folder stays."""
        for path in (*self._owned(), self.state):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _owned(self) -> tuple[Path, ...]:
        folders = (self.root / name for name in FOLDERS)
        files = (self.audit, self.comparison, self.metrics)
        return (*folders, self.unfinished, self.checkpoint, *files)
