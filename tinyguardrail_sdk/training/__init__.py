"""The pipeline that makes a checkpoint: data, model, training, export and evaluation.

Importing this package loads nothing heavy. The modules that need PyTorch call `require_extra`
through the command line first, so that its absence is answered with the command that cures it.
"""

from __future__ import annotations

from importlib.util import find_spec

INSTALL_REMEDY = (
    'run: pip install "tinyguardrail-sdk[train]"; in a checkout: pip install ".[train]"'
)

# Those without which no command of training starts; who needs another says so when it is needed.
_EXTRA_MODULES = (
    *("torch", "accelerate", "safetensors", "sklearn", "scipy", "rich", "datasketch", "yaml"),
)


def missing_modules() -> tuple[str, ...]:
    """Names of the modules of the `train` extra that cannot be imported here."""
    return tuple(name for name in _EXTRA_MODULES if find_spec(name) is None)


def require_extra() -> None:
    """Check that the `train` extra is installed, without importing it.

    Raises:
        ImportError: A module is missing; the message names it and the commands that cure it.
    """
    if missing := missing_modules():
        raise ImportError(f"training needs {', '.join(missing)}; {INSTALL_REMEDY}")
