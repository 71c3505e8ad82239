"""Which tests belong to which client or framework; `nox` and the page of what is tested go by it.

A group is an extra of `pyproject.toml`, or several; its tests are the modules that begin with its
name.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # which nox and pytest bring

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
# Groups of several extras; every other is an extra by itself.
SEVERAL = {"corpora": ["ray", "spark"]}
# What the developer install lacks, in as few environments as hold the newest version of each.
TOGETHER = {
    "frameworks": [
        "bedrock-async",
        "haystack",
        "langchain",
        "litellm",
        "llama-index",
        "mcp",
        "openai-agents",
        "pydantic-ai",
        "smolagents",
    ],
    "corpora": ["corpora"],
    # It wants older versions of MCP, OpenAI and Pydantic.
    "crewai": ["crewai"],
    # It wants an older LiteLLM than there is by itself.
    "proxy": ["litellm-proxy"],
}


def group_of(module: str, groups: Iterable[str] = (*EXTRAS, *SEVERAL)) -> str | None:
    """Return the group with the longest name that the name of a test module begins with."""
    name = f"{module.removeprefix('test_')}_"
    found = [each for each in groups if name.startswith(f"{each.replace('-', '_')}_")]
    return max(found, key=len, default=None)


def name_of(requirement: str) -> str:
    """Return the name of the package that a requirement is about."""
    return re.split(r"[\[<>=]", requirement)[0]
