"""`tinyguardrail info`: what would judge, verified file by file."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import tinyguardrail_sdk
from tinyguardrail_sdk.cli import ALLOWED
from tinyguardrail_sdk.cli.terminal import visible
from tinyguardrail_sdk.labels import Mode
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, Manifest, load_manifest

_LIBRARIES = ("onnxruntime", "numpy")


def run(arguments: argparse.Namespace) -> int:
    """Verify and describe the checkpoint; return the exit status."""
    directory = Path(arguments.checkpoint) if arguments.checkpoint else DEFAULT_CHECKPOINT
    facts = _facts(directory, load_manifest(directory), arguments.threads)
    if arguments.json:
        sys.stdout.write(json.dumps(facts) + "\n")
    else:
        sys.stdout.writelines(f"{visible(line)}\n" for line in _lines(facts))
    return ALLOWED


def _facts(directory: Path, manifest: Manifest, threads: int) -> dict[str, Any]:
    fields = manifest.model_dump(mode="json")
    shown = ("name", "model_version", "parameters", "files", "thresholds", "escalate_below")
    return {
        **{name: fields[name] for name in shown},
        "path": str(directory.resolve()),
        "verified": True,  # loading has compared every size and hash
        "threads": threads,
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    versions = {"tinyguardrail-sdk": tinyguardrail_sdk.__version__}
    for library in _LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = "not installed"
    return {**versions, "python": platform.python_version()}


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    yield f"checkpoint  {facts['name']}, model {facts['model_version']}, all files verified"
    yield f"path        {facts['path']}"
    yield f"parameters  {facts['parameters']:,}"
    yield f"threads     {facts['threads']}"
    for name, entry in facts["files"].items():
        yield f"file        {name:<12} {entry['size']:>12,} bytes  sha256 {entry['sha256']}"
    yield "thresholds  " + "".join(f"{mode:>12}" for mode in ("source", *Mode))
    for source, risks in facts["thresholds"].items():
        yield f"            {source:>12}" + "".join(f"{risks[mode]:>12.3f}" for mode in Mode)
    for library, number in facts["versions"].items():
        yield f"version     {library} {number}"
