"""From trained weights to the checkpoint folder that the runtime loads."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.detectors import DETECTORS_VERSION
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, PATTERNS, Mode, Source
from tinyguardrail_sdk.manifest import REQUIRED_FILES, Manifest, describe_file, write_manifest
from tinyguardrail_sdk.normalize import NORMALIZER_VERSION
from tinyguardrail_sdk.training.checkpoint import check_vocabulary, load_facts, load_model
from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.export.parts import save_parts

# Until `calibrate` writes fitted values: the label as the network gives it, either branch.
_UNCALIBRATED = 0.5


def export(run: Path, directory: Path, *, model_version: str, four_bit: bool = False) -> Manifest:
    """Write an INT8 checkpoint, uncalibrated.

    Args:
        run: Trained weights, such as `runs/guard/best`.
        directory: Checkpoint folder; made if missing, its files replaced.
        model_version: What verdicts will report.
        four_bit: Store experts and token table in 4 bits: a third smaller, not faster, and
            nothing to train on from.

    Returns:
        The manifest that was written.

    Raises:
        CheckpointError: `run` is not a training checkpoint, or of an older run whose vocabulary is
            gone.
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
    save_parts(model, directory, four_bit=four_bit)
    if (vocabulary := directory / "vocab.txt").resolve() != config.data.vocab.resolve():
        shutil.copyfile(config.data.vocab, vocabulary)
    manifest = Manifest(
        name=name,
        model_version=model_version,
        files={name: describe_file(directory / name) for name in REQUIRED_FILES},
        thresholds={source: dict.fromkeys(Mode, _UNCALIBRATED) for source in Source},
        escalate_below=_UNCALIBRATED,
        route_threshold=_UNCALIBRATED,
        max_tokens=config.data.max_tokens,
        overlap=config.data.overlap,
        normalizer_version=NORMALIZER_VERSION,
        detectors_version=DETECTORS_VERSION,
        parameters=model.parameter_count(),
        training={
            "version": facts["version"],
            "code": facts["code"],
            "corpora": facts["corpora"],
            "step": facts["position"]["step"],
            "minutes": round(facts["position"]["elapsed"] / 60, 1),
            "weights": "int4 experts and token table, int8 else" if four_bit else "int8",
            "config": _published(config),
        },
        metrics={"validation": facts["metrics"]},
    )
    write_manifest(directory, manifest)
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
