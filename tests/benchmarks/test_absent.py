"""Without the developer install a benchmark says in one line what to install."""

import subprocess
import sys

import pytest

from tests.documents import ROOT

RUN = "import runpy, sys\n{before}\nrunpy.run_module('benchmarks.{name}', run_name='__main__')"


def errors_of(name: str, before: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(name=name, before=before)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize(
    ("name", "package"),
    [("latency", "numpy"), ("operators", "torch"), ("quality", "sklearn")],
)
def test_an_absent_package_is_answered_with_the_command(name: str, package: str) -> None:
    said = errors_of(name, f"sys.modules[{package!r}] = None")
    assert said == f'benchmarks: {package} is not installed; run: pip install -e ".[dev]"\n'


def test_what_is_broken_in_them_shows_its_traceback() -> None:
    assert "Traceback" in errors_of("latency", "sys.modules['benchmarks.texts'] = None")
    assert "Traceback" in errors_of("latency", "sys.modules['benchmarks.texts'] = sys")
