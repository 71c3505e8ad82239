"""From trained weights to the checkpoint folder that the runtime loads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from tinyguardrail_sdk.detectors import DETECTORS_VERSION
from tinyguardrail_sdk.errors import CheckpointError, InputError
from tinyguardrail_sdk.labels import LABELS, PATTERNS, Mode, Source
from tinyguardrail_sdk.manifest import REQUIRED_FILES, Manifest, describe_file, write_manifest
from tinyguardrail_sdk.normalize import NORMALIZER_VERSION
from tinyguardrail_sdk.training.checkpoint import check_vocabulary, load_facts, load_model
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.export.four_bit import sort_out
from tinyguardrail_sdk.training.export.opening import try_parts
from tinyguardrail_sdk.training.export.parts import save_parts
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.progress import Progress
from tinyguardrail_sdk.training.quantization import convert
from tinyguardrail_sdk.training.reporter import tell
from tinyguardrail_sdk.training.run_files import AVERAGED

# Until `calibrate` writes fitted values: the label as the network gives it, either branch.
_UNCALIBRATED = 0.5
_STAYS = "left_in_int8"


def export(
    run: Path,
    directory: Path,
    *,
    model_version: str,
    four_bit: bool = False,
    progress: Progress | None = None,
) -> Manifest:
    """Write an INT8 checkpoint, uncalibrated.

    Args:
        run: Trained weights, such as `runs/guard/best`.
        directory: Checkpoint folder; made if missing, its files replaced.
        model_version: What verdicts will report.
        four_bit: Store experts and token table in 4 bits: a third smaller, not faster, and
            nothing to train on from. What cannot be stays in INT8, and `staying` names it.
        progress: Called with files written and files in all; anew where 4 bits do not run.

    Returns:
        The manifest that was written.

    Raises:
        CheckpointError: `run` is not a training checkpoint, or of an older run whose vocabulary is
            gone; or a layer cannot be converted, or what was written does not run here: the message
            names layer, file or operator.
        InputError: The network lacks something that the runtime's format needs, or `directory` has
            no name.
    """
    name = directory.resolve().name  # of ".", too
    if not name:
        raise InputError(
            f"{directory}: has no name to give the checkpoint; choose another --output"
        )
    model, config = load_model(run)
    check_vocabulary(run, config.data.vocab)
    facts = load_facts(run)
    if (config.network.labels, config.network.patterns) != (len(LABELS), len(PATTERNS)):
        raise InputError(
            f"the runtime needs a network of {len(LABELS)} labels and {len(PATTERNS)} patterns: "
            "train that one"
        )
    directory.mkdir(parents=True, exist_ok=True)
    if (vocabulary := directory / "vocab.txt").resolve() != config.data.vocab.resolve():
        shutil.copyfile(config.data.vocab, vocabulary)
    stated = {
        "name": name,
        "model_version": model_version,
        "thresholds": {source: dict.fromkeys(Mode, _UNCALIBRATED) for source in Source},
        "escalate_below": _UNCALIBRATED,
        "route_threshold": _UNCALIBRATED,
        "max_tokens": config.data.max_tokens,
        "overlap": config.data.overlap,
        "normalizer_version": NORMALIZER_VERSION,
        "detectors_version": DETECTORS_VERSION,
        "parameters": model.parameter_count(),
        "metrics": {"validation": facts["metrics"]},
        "training": {
            "version": facts["version"],
            "code": facts["code"],
            "corpora": facts["corpora"],
            "step": facts["position"]["step"],
            "minutes": round(facts["position"]["elapsed"] / 60, 1),
            **({AVERAGED: facts[AVERAGED]} if AVERAGED in facts else {}),
            "config": _published(config),
        },
    }
    manifest = (_small if four_bit else _write)(model, directory, stated, progress=progress)
    write_manifest(directory, manifest)
    return manifest


def staying(manifest: Manifest) -> list[str]:
    """What was to be stored in 4 bits and is not, each with the reason."""
    return list(manifest.training.get(_STAYS, []))


def tell_staying(manifest: Manifest) -> dict[str, list[str]]:
    """Warn on stderr of what `staying` names; returns the field of a result that says the same."""
    stays = staying(manifest)
    for what in stays:
        tell(f"stored in INT8, not in 4 bits: {what}")
    return {_STAYS: stays} if stays else {}


def _small(
    model: TinyGuardrail, directory: Path, stated: dict[str, Any], *, progress: Progress | None
) -> Manifest:
    """Write in 4 bits what can be and runs so here, and the rest in INT8."""
    held, stays = sort_out(model)
    if not held:
        return _write(model, directory, stated, progress=progress, stays=stays)
    try:
        return _write(model, directory, stated, progress=progress, four_bit=held, stays=stays)
    except CheckpointError as error:
        # Of paths only the names of files: the manifest says nothing of the machine.
        why = str(error).replace(f"{directory}{os.sep}", "").removeprefix(f"{directory}: ")
        return _write(model, directory, stated, progress=progress, stays=[f"all of it ({why})"])


def _write(
    model: TinyGuardrail,
    directory: Path,
    stated: dict[str, Any],
    *,
    progress: Progress | None,
    four_bit: Collection[nn.Module] = (),
    stays: Sequence[str] = (),
) -> Manifest:
    """Convert, write the graphs, and run them; returns the manifest that goes with them."""
    convert(model, leaving=four_bit)
    save_parts(model, directory, four_bit=bool(four_bit), progress=progress)
    weights = "int4 experts and token table, int8 else" if four_bit else "int8"
    training = {**stated["training"], "weights": weights}
    if stays:
        training[_STAYS] = list(stays)
    files = {name: describe_file(directory / name) for name in REQUIRED_FILES}
    manifest = Manifest(**{**stated, "training": training}, files=files)
    try_parts(directory, manifest)
    return manifest


def _published(config: TrainConfig) -> dict[str, Any]:
    """The run's configuration; of paths only their names, which say nothing of the machine."""
    fields = config.to_dict()
    del fields["output"], fields["data"]["cache"]
    data = config.data
    fields["data"] |= {
        "train": [path.name for path in data.train],
        "validation": [path.name for path in data.validation],
        "vocab": data.vocab.name,
    }
    for section, name in ((fields, "init"), (fields["distillation"], "teacher")):
        if Path(section[name]).is_absolute():
            section[name] = Path(section[name]).name
    return fields
