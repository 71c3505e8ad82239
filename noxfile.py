"""Tests of each adapter with the oldest and the newest version that it supports.

    nox                          # all
    nox -k "ollama and newest"

Each in an environment of its own, for the packages disagree about the versions of what they share.
A session whose package cannot be installed fails; it is not left out.
"""

import nox

# Test module -> what it needs; first the distribution, with its oldest supported version as in
# pyproject.toml.
GROUPS = {
    "adapters/test_anthropic.py": ("anthropic", "0.49"),
    "adapters/test_bedrock.py": ("boto3", "1.36"),
    "adapters/test_bedrock_async.py": ("aiobotocore", "2.19"),
    "adapters/test_cohere.py": ("cohere", "7.0"),
    "adapters/test_google_genai.py": ("google-genai", "3.0"),
    "adapters/test_litellm.py": ("litellm", "1.90"),
    "adapters/test_litellm_proxy.py": ("litellm[proxy]", "1.90"),
    "adapters/test_mistral.py": ("mistralai", "2.0"),
    "adapters/test_ollama.py": ("ollama", "0.5"),
    "adapters/test_openai.py": ("openai", "1.66"),
    "adapters/test_corpora.py": ("ray[data]", "2.51", "pyspark[sql]>=4"),
    "frameworks/test_asgi.py": ("fastapi", "0.115", "httpx"),
    "frameworks/test_crewai.py": ("crewai", "1.15"),
    "frameworks/test_haystack.py": ("haystack-ai", "2.20"),
    "frameworks/test_langchain.py": ("langchain", "1.0"),
    "frameworks/test_llama_index.py": ("llama-index-core", "0.14"),
    "frameworks/test_mcp.py": ("mcp", "1.24"),
    "frameworks/test_openai_agents.py": ("openai-agents", "0.24"),
    "frameworks/test_pydantic_ai.py": ("pydantic-ai-slim", "2.0"),
    "frameworks/test_smolagents.py": ("smolagents", "1.20"),
    "frameworks/test_transformers.py": ("transformers", "5.24", "torch==2.13.0"),
}


@nox.session
@nox.parametrize("version", ["oldest", "newest"])
@nox.parametrize("module", list(GROUPS))
def adapter(session: nox.Session, module: str, version: str) -> None:
    """Run the tests of one adapter at one version."""
    distribution, oldest, *others = GROUPS[module]
    wanted = f"{distribution}~={oldest}.0" if version == "oldest" else distribution
    session.install(".", "pytest", wanted, *others)
    # A group that was skipped as a whole ends with another status than 0.
    session.run("pytest", f"tests/{module}")
