"""From trained weights to the checkpoint folder that the runtime loads."""

from __future__ import annotations

import shutil
from pathlib import Path

from tinyguardrail_sdk.detectors import DETECTORS_VERSION
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, PATTERNS, Mode, Source
from tinyguardrail_sdk.manifest import REQUIRED_FILES, Manifest, describe_file, write_manifest
from tinyguardrail_sdk.normalize import NORMALIZER_VERSION
from tinyguardrail_sdk.training.checkpoint import load_facts, load_model
from tinyguardrail_sdk.training.export.parts import save_parts

# Until `calibrate` writes fitted values: the label as the network gives it, either branch.
_UNCALIBRATED = 0.5


def export(run: Path, directory: Path, *, model_version: str) -> Manifest:
    """Write an INT8 checkpoint, uncalibrated.

    Args:
        run: Trained weights, such as `runs/guard/best`.
        directory: Checkpoint folder; made if missing, its files replaced.
        model_version: What verdicts will report.

    Returns:
        The manifest that was written.

    Raises:
        CheckpointError: `run` is not a training checkpoint.
        InputError: The network lacks something that the runtime's format needs.
    """
    model, config = load_model(run)
    facts = load_facts(run)
    if (config.network.labels, config.network.patterns) != (len(LABELS), len(PATTERNS)):
        raise InputError(
            f"the runtime needs a network of {len(LABELS)} labels and {len(PATTERNS)} patterns: "
            "train that one"
        )
    directory.mkdir(parents=True, exist_ok=True)
    save_parts(model, directory)
    if (vocabulary := directory / "vocab.txt").resolve() != config.data.vocab.resolve():
        shutil.copyfile(config.data.vocab, vocabulary)
    manifest = Manifest(
        name=directory.name,
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
            "code": facts["code"],
            "corpora": facts["corpora"],
            "step": facts["position"]["step"],
            "minutes": round(facts["position"]["elapsed"] / 60, 1),
            "init": config.init,
            "seed": config.seed,
        },
        metrics={"validation": facts["metrics"]},
    )
    write_manifest(directory, manifest)
    return manifest
