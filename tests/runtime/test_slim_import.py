import subprocess
import sys

import pytest

HEAVY = ("numpy", "onnxruntime", "torch", "transformers", "asyncio", "tinyguardrail_sdk.training")


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("module", ["tinyguardrail_sdk", "tinyguardrail_sdk.cli.main"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    loaded = python(f"import sys, {module}; print(*sys.modules)").split()
    assert module in loaded
    assert set(loaded).isdisjoint(HEAVY)


def test_the_training_libraries_are_not_needed() -> None:
    blocked = "; ".join(f"sys.modules[{name!r}] = None" for name in ("torch", "transformers"))
    code = f"import sys; {blocked}; from tinyguardrail_sdk import Guard; print(Guard.__name__)"
    assert python(code) == "Guard\n"


def test_importing_takes_less_than_half_a_second() -> None:
    code = (
        "import time; began = time.process_time(); import tinyguardrail_sdk; "
        "print(time.process_time() - began)"
    )
    # Processor time, and the best of several: what else the machine does is no matter.
    assert min(float(python(code)) for _ in range(4)) < 0.5
