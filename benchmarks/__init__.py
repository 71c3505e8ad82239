"""Measurements, side by side in one run; see README.md."""

import sys
from types import TracebackType


def _name_the_install(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Answer an absent package with the command that installs it; every other error as ever."""
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package in ("", "benchmarks", "tinyguardrail_sdk"):
        sys.__excepthook__(kind, error, trace)
    else:
        sys.stderr.write(f'benchmarks: {package} is not installed; run: pip install -e ".[dev]"\n')


# A list of what each of them needs would be behind the first time that one changes.
sys.excepthook = _name_the_install
