"""Names in the folder of a training run and in its checkpoints; nothing here imports PyTorch."""

from __future__ import annotations

from pathlib import Path

METRICS = "metrics.jsonl"  # records of the run
BEST = "best"  # the checkpoint that validated best
_STEP = "step-"  # and a number: one to resume from
NOTHING_TO_RESUME = "nothing to resume; give the --output of a run, or train without --resume first"

# In a checkpoint, see `checkpoint`.
MODEL, RAW = "model.safetensors", "raw.safetensors"
OPTIMIZER, FACTS, VOCAB = "optimizer.pt", "training.json", "vocab.txt"
AVERAGED = "averaged"  # in FACTS: what the weights are the mean of


def step_name(step: int) -> str:
    """Name of the checkpoint after so many steps."""
    return f"{_STEP}{step}"


def step_folders(run: Path) -> list[Path]:
    """Checkpoints to resume from, oldest first."""
    numbered = {path: path.name.removeprefix(_STEP) for path in run.glob(f"{_STEP}*")}
    whole = {path: int(number) for path, number in numbered.items() if number.isdigit()}
    return sorted(whole, key=whole.__getitem__)


def trained_weights(run: Path) -> Path | None:
    """The checkpoint that stands for a run: `best`, else the newest `step-N`; None without one."""
    held = (run / BEST, *reversed(step_folders(run)))
    return next((path for path in held if (path / FACTS).is_file()), None)
