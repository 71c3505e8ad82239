import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinyguardrail_sdk import CheckpointError, Label
from tinyguardrail_sdk.manifest import (
    SCHEMA_VERSION,
    describe_file,
    load_manifest,
    read_manifest,
    write_manifest,
)


def edit(checkpoint: Path, **changes: Any) -> None:
    path = checkpoint / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))


def test_what_is_written_is_what_is_read(checkpoint: Path) -> None:
    manifest = load_manifest(checkpoint)
    assert manifest.labels == tuple(Label)
    path = write_manifest(checkpoint, manifest.model_copy(update={"model_version": "9"}))
    assert path == checkpoint / "manifest.json"
    assert load_manifest(checkpoint) == manifest.model_copy(update={"model_version": "9"})
    assert {file.name for file in checkpoint.iterdir()} == {"manifest.json", *manifest.files}


def test_a_file_is_described_by_size_and_sha256(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    entry = describe_file(path)
    assert entry.size == 3
    assert entry.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"!")


def corrupt(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def point(path: Path) -> None:
    path.write_bytes(b"version https://git-lfs.example/spec/v1\noid sha256:0\nsize 1\n")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (Path.unlink, "cannot be read"),
        (truncate, "truncated, 24 of 25 bytes"),
        (lengthen, "not the file in the manifest"),
        (corrupt, "not the file in the manifest"),
        (empty, "empty"),
        (point, "git lfs pull"),
    ],
)
def test_damage_is_found_and_the_file_named(
    checkpoint: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(checkpoint / "fast.onnx")
    with pytest.raises(CheckpointError, match="fast.onnx") as caught:
        load_manifest(checkpoint)
    assert words in str(caught.value)
    assert "run: " in str(caught.value) or "reinstall" in str(caught.value)
    read_manifest(checkpoint)  # which does not look at the files


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "the whole file"),
        (b'{"schema_version": 1}', "Field required"),
        (b"version https://git-lfs.example/spec/v1\n", "git lfs pull"),
    ],
)
def test_a_damaged_manifest_is_named(checkpoint: Path, content: bytes, words: str) -> None:
    (checkpoint / "manifest.json").write_bytes(content)
    with pytest.raises(CheckpointError, match="manifest.json") as caught:
        load_manifest(checkpoint)
    assert words in str(caught.value)


def test_a_missing_folder_and_a_missing_manifest_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="elsewhere: no such checkpoint folder"):
        load_manifest(tmp_path / "elsewhere")
    with pytest.raises(CheckpointError, match="no checkpoint folder, it holds no manifest.json"):
        load_manifest(tmp_path)


def test_a_newer_schema_asks_for_an_upgrade_whatever_else_it_holds(checkpoint: Path) -> None:
    edit(checkpoint, schema_version=SCHEMA_VERSION + 1, invented="later")
    with pytest.raises(CheckpointError, match="pip install --upgrade tinyguardrail-sdk"):
        load_manifest(checkpoint)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": ["injection", "benign", "jailbreak", "obfuscation"]}, "the order must be"),
        ({"thresholds": {"user": {"strict": 0.5}}}, "no threshold for source user, mode balanced"),
        ({"files": {}}, "no entry for vocab.txt, embed.onnx, fast.onnx, deep.onnx"),
        ({"overlap": 6}, "room for new tokens"),
        ({"temperature": {"fast": 0.0, "deep": 1.0}}, "temperature.fast"),
        ({"escalate_below": 1.5}, "escalate_below"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_impossible_values_are_named(checkpoint: Path, changes: dict[str, Any], words: str) -> None:
    edit(checkpoint, **changes)
    with pytest.raises(CheckpointError) as caught:
        read_manifest(checkpoint)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "a\\b", "C:x", "..", ""])
def test_no_file_outside_the_folder_is_ever_named(checkpoint: Path, name: str) -> None:
    files = json.loads((checkpoint / "manifest.json").read_bytes())["files"]
    edit(checkpoint, files=files | {name: {"sha256": "0" * 64, "size": 1}})
    with pytest.raises(CheckpointError, match="must not contain folders"):
        load_manifest(checkpoint)
