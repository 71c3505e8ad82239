"""What lies beside the weights: read, verified by hash, and written by the export.

A checkpoint is a folder: `manifest.json`, the files it lists, and `MODEL_CARD.md` for people.
Everything that belongs to the weights (label order, thresholds, temperature) stands in the
manifest and not in code. Nothing here is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from tinyguardrail_sdk.errors import CheckpointError
from tinyguardrail_sdk.labels import LABELS, Label, Mode, Source

SCHEMA_VERSION = 1
MANIFEST_NAME = "manifest.json"
# What the runtime opens. A manifest must list these, so that nothing is opened unverified.
REQUIRED_FILES = ("vocab.txt", "embed.onnx", "fast.onnx", "deep.onnx")
DEFAULT_CHECKPOINT = Path(__file__).parent / "assets" / "guard-v13"

_CHUNK_BYTES = 1 << 20
_LFS_POINTER = b"version https://git-lfs"
_REMEDY = "reinstall tinyguardrail-sdk, or export the checkpoint again"

Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class FileEntry(_Frozen):
    """One file of a checkpoint: its SHA-256 in lower-case hex, and its size in bytes."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Field(gt=0)]


class Temperature(_Frozen):
    """Divisors of the logits that calibrate each branch."""

    fast: Positive = 1.0
    deep: Positive = 1.0


class Manifest(_Frozen):
    """The contents of `manifest.json`.

    Attributes:
        schema_version: Format of this file.
        name: Name of the checkpoint, such as `guard-v13`.
        model_version: Version that verdicts report.
        labels: Order of the network's logits; must be this package's.
        files: Every file that the runtime opens, by plain name.
        thresholds: Risk from which a text is an attack, per source and mode.
        temperature: Calibration of both branches.
        escalate_below: Fast answers under this confidence go on to the deep branch.
        route_threshold: Router output from which the fast branch is tried.
        max_tokens: Window length in tokens, both special ones included.
        overlap: Tokens that neighbouring windows share.
        normalizer_version: Version of the text normaliser the weights were trained with.
        detectors_version: Version of the pattern detectors they were trained with.
        parameters: Number of weights.
        training: Fingerprint of data, configuration and code.
        metrics: Measured quality.
    """

    schema_version: Annotated[int, Field(ge=1, le=SCHEMA_VERSION)] = SCHEMA_VERSION
    name: Annotated[str, Field(min_length=1)]
    model_version: Annotated[str, Field(min_length=1)]
    labels: tuple[Label, ...] = LABELS
    files: Mapping[str, FileEntry]
    thresholds: Mapping[Source, Mapping[Mode, Probability]]
    temperature: Temperature = Temperature()
    escalate_below: Probability
    route_threshold: Probability
    max_tokens: Annotated[int, Field(ge=8)]
    overlap: Annotated[int, Field(ge=0)]
    normalizer_version: int
    detectors_version: int
    parameters: Annotated[int, Field(gt=0)]
    training: Mapping[str, Any] = {}
    metrics: Mapping[str, Any] = {}

    @field_validator("labels")
    @classmethod
    def _same_labels(cls, labels: tuple[Label, ...]) -> tuple[Label, ...]:
        if labels != LABELS:
            raise ValueError(f"the order must be {', '.join(LABELS)}")
        return labels

    @field_validator("files")
    @classmethod
    def _complete_plain_names(cls, files: Mapping[str, FileEntry]) -> Mapping[str, FileEntry]:
        missing = [name for name in REQUIRED_FILES if name not in files]
        if missing:
            raise ValueError(f"no entry for {', '.join(missing)}")
        # A name with a folder in it could point outside the checkpoint.
        if any(name in {"", ".", ".."} or set(name) & set("/\\:\0") for name in files):
            raise ValueError("file names must not contain folders")
        return files

    @field_validator("overlap")
    @classmethod
    def _windows_advance(cls, overlap: int, info: ValidationInfo) -> int:
        if overlap >= info.data.get("max_tokens", overlap + 3) - 2:
            raise ValueError("must leave room for new tokens in every window")
        return overlap

    @field_validator("thresholds")
    @classmethod
    def _every_source_and_mode(
        cls, thresholds: Mapping[Source, Mapping[Mode, float]]
    ) -> Mapping[Source, Mapping[Mode, float]]:
        for source in Source:
            for mode in Mode:
                if mode not in thresholds.get(source, {}):
                    raise ValueError(f"no threshold for source {source}, mode {mode}")
        return thresholds


def read_manifest(directory: Path) -> Manifest:
    """Read `manifest.json` without looking at the files it lists.

    Raises:
        CheckpointError: The folder or manifest is missing, damaged or newer than this package.
    """
    path = directory / MANIFEST_NAME
    if not directory.is_dir():
        raise CheckpointError(
            f"{directory}: no such checkpoint folder; check the path, or leave it out "
            "to use the built-in one"
        )
    if directory != DEFAULT_CHECKPOINT and not path.exists():
        raise CheckpointError(
            f"{directory}: no checkpoint folder, it holds no {MANIFEST_NAME}; "
            "give one that `tinyguardrail export` wrote"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); {_REMEDY}") from None
    _refuse_pointer(path, content)
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        raise CheckpointError(f"{path}: not valid JSON; {_REMEDY}") from None
    return _validated(path, fields)


def load_manifest(directory: Path) -> Manifest:
    """Read the manifest and verify size and SHA-256 of every file it lists.

    Raises:
        CheckpointError: Something is missing, damaged or newer than this package. The message
            names the file and the remedy.
    """
    manifest = read_manifest(directory)
    verify_files(directory, manifest)
    return manifest


def verify_files(directory: Path, manifest: Manifest) -> None:
    """Verify size and SHA-256 of every file that a manifest lists.

    Raises:
        CheckpointError: One is missing or not the one in the manifest; the message names it.
    """
    for name, entry in manifest.files.items():
        _verify(directory / name, entry)


def describe_file(path: Path) -> FileEntry:
    """Measure a file for the manifest's `files`."""
    return FileEntry(sha256=hash_of(path), size=path.stat().st_size)


def write_manifest(directory: Path, manifest: Manifest) -> Path:
    """Write `manifest.json` in one step, so that a reader never sees half of it."""
    path = directory / MANIFEST_NAME
    unfinished = directory / f"{MANIFEST_NAME}.partial"
    unfinished.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    os.replace(unfinished, path)
    return path


def _validated(path: Path, fields: object) -> Manifest:
    version = fields.get("schema_version") if isinstance(fields, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise CheckpointError(
            f"{path}: schema version {version} is newer than this package understands "
            f"({SCHEMA_VERSION}); run: pip install --upgrade tinyguardrail-sdk"
        )
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        raise CheckpointError(f"{path}: {where}: {first['msg']}; {_REMEDY}") from None


def _verify(path: Path, entry: FileEntry) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            _refuse_pointer(path, file.read(len(_LFS_POINTER)))
        if size < entry.size:
            raise CheckpointError(f"{path}: truncated, {size} of {entry.size} bytes; {_REMEDY}")
        if size > entry.size or hash_of(path) != entry.sha256:
            raise CheckpointError(f"{path}: not the file in the manifest; {_REMEDY}")
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror}); {_REMEDY}") from None


def _refuse_pointer(path: Path, content: bytes) -> None:
    if content.startswith(_LFS_POINTER):
        raise CheckpointError(f"{path}: only a Git LFS pointer is here; run: git lfs pull")
    if not content:
        raise CheckpointError(f"{path}: the file is empty; {_REMEDY}")


def hash_of(path: Path) -> str:
    """SHA-256 of a file, in lower-case hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
