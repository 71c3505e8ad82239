"""Asserts that a built wheel is complete, unadulterated and within the size limits."""

import json
import sys
import zipfile

CHECKPOINT = "tinyguardrail_sdk/assets/guard-v13/"
REQUIRED = {
    "tinyguardrail_sdk/py.typed",
    "tinyguardrail_sdk/adapters/__init__.py",
    "tinyguardrail_sdk/training/train.py",
    "tinyguardrail_sdk/training/report/page.css",
    "tinyguardrail_sdk/training/notebooks/tinyguardrail_colab.ipynb",
    CHECKPOINT + "manifest.json",
    CHECKPOINT + "MODEL_CARD.md",
}
PACKAGE = ("tinyguardrail_sdk/", "tinyguardrail_sdk-")
MIB = 1024 * 1024


def main(path: str) -> None:
    """Check the wheel at `path`."""
    with zipfile.ZipFile(path) as wheel:
        sizes = {info.filename: info.file_size for info in wheel.infolist()}
        packed = sum(info.compress_size for info in wheel.infolist())
        manifest = json.loads(wheel.read(CHECKPOINT + "manifest.json"))
    missing = sorted(REQUIRED - set(sizes))
    assert not missing, f"not in the wheel: {missing}"
    for name, entry in manifest["files"].items():
        assert sizes.get(CHECKPOINT + name) == entry["size"], f"{name} is not the manifest's"
    strangers = sorted(name for name in sizes if not name.startswith(PACKAGE))
    assert not strangers, f"outside the package: {strangers}"
    large = {name: size for name, size in sizes.items() if size >= 50 * MIB}
    assert not large, f"over 50 MiB: {large}"
    assert packed < 100 * MIB, f"the wheel has {packed} bytes; the public index takes 100 MiB"
    print(f"wheel: {len(sizes)} files, {packed / MIB:.1f} MiB packed")


if __name__ == "__main__":
    main(sys.argv[1])
