"""The examples of `docs/frameworks.md` run and print what they say; adapters import nothing."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DOCS = (Path(__file__).parents[2] / "docs" / "frameworks.md").read_text(encoding="utf-8")
EXAMPLES: dict[str, tuple[str, str]] = {
    name: (code, printed)
    for name, code, printed in re.findall(
        r"^## (\w+)\n[^`]*?(?:`[^`\n]+`[^`]*?)*```python\n(.*?)```\n\n```text\n(.*?)```",
        DOCS,
        re.S | re.M,
    )
}
MODULES = {
    "asgi": "fastapi",
    "langchain": "langchain",
    "openai_agents": "agents",
    "mcp": "mcp",
    "pydantic_ai": "pydantic_ai",
    "llama_index": "llama_index.core",
    "transformers": "transformers",
    "smolagents": "smolagents",
    "haystack": "haystack",
    "crewai": "crewai",
}
# What an example is about that versions lack which its adapter supports.
NEWER = {"mcp": ("mcp.server", "MCPServer")}
FOREIGN = {*MODULES.values(), "onnxruntime", "torch"}


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_every_framework_has_an_example() -> None:
    assert list(EXAMPLES) == list(MODULES)


def example(name: str) -> Any:
    # CrewAI uses what it deprecates itself.
    marks = [pytest.mark.filterwarnings("ignore::DeprecationWarning")] if name == "crewai" else []
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", [example(name) for name in EXAMPLES])
def test_the_example_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    extra = name.replace("_", "-")
    pytest.importorskip(MODULES[name], reason=f"pip install 'tinyguardrail-sdk[{extra}]'")
    if name in NEWER and not hasattr(importlib.import_module(NEWER[name][0]), NEWER[name][1]):
        pytest.skip(f"this version has no {NEWER[name][1]}")
    code, printed = EXAMPLES[name]
    assert len(code.splitlines()) < 25
    exec(compile(code, f"docs/frameworks.md, {name}", "exec"), {"__name__": "example"})
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("name", MODULES)
def test_importing_an_adapter_imports_no_framework(name: str) -> None:
    loaded = python(f"import sys, tinyguardrail_sdk.adapters.{name}; print(*sys.modules)").split()
    assert FOREIGN.isdisjoint(loaded)
