"""What holds of all adapters together: imports, strange objects, the documented examples."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.wire import Wire
from tinyguardrail_sdk import Guard, InputError
from tinyguardrail_sdk.adapters import wrap

ROOT = Path(__file__).parents[2]


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
def test_without_the_client_the_adapter_says_what_to_install(vendor: str) -> None:
    code = (
        f"import sys; sys.modules[{vendor!r}] = None\n"
        f"from tinyguardrail_sdk.adapters.{vendor} import wrap\n"
        "try: wrap(object(), None)\n"
        "except ImportError as error: print(error)"
    )
    assert f"pip install 'tinyguardrail-sdk[{vendor}]'" in python(code)


@pytest.mark.parametrize("module", ["", ".openai", ".anthropic"])
def test_importing_an_adapter_imports_no_client(module: str) -> None:
    loaded = python(f"import sys, tinyguardrail_sdk.adapters{module}; print(*sys.modules)").split()
    assert {"openai", "anthropic", "onnxruntime", "torch"}.isdisjoint(loaded)


@pytest.mark.parametrize("client", [object(), Guard, "text"])
def test_other_objects_have_no_adapter(guard: Guard, client: Any) -> None:
    with pytest.raises(InputError, match="no adapter"):
        wrap(client, guard)


def test_the_example_of_the_readme_runs(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = (ROOT / "README.md").read_text(encoding="utf-8").split("```python\n")[1:]
    (example,) = (each.split("```")[0] for each in blocks if "import OpenAI\n" in each)
    assert len(example.splitlines()) < 25
    monkeypatch.setenv("OPENAI_BASE_URL", f"{wire.url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out == f"{wire.text}\n{wire.text}\nblocked: injection\n"
    assert len(wire.bodies) == 2
