"""Tests of each client's adapter with the oldest and the newest version that it supports.

    nox                          # all
    nox -k "ollama and newest"

Each in an environment of its own, for the clients disagree about the versions of what they share.
A session whose client cannot be installed fails; it is not left out.
"""

import nox

# Test module -> the distribution and its oldest supported version, as in pyproject.toml.
CLIENTS = {
    "anthropic": ("anthropic", "0.49"),
    "bedrock": ("boto3", "1.36"),
    "cohere": ("cohere", "7.0"),
    "google_genai": ("google-genai", "3.0"),
    "mistral": ("mistralai", "2.0"),
    "ollama": ("ollama", "0.5"),
    "openai": ("openai", "1.66"),
}


@nox.session
@nox.parametrize("version", ["oldest", "newest"])
@nox.parametrize("name", list(CLIENTS))
def client(session: nox.Session, name: str, version: str) -> None:
    """Run the conformance suite of one client at one version."""
    distribution, oldest = CLIENTS[name]
    wanted = f"{distribution}~={oldest}.0" if version == "oldest" else distribution
    session.install(".", "pytest", wanted)
    # A group that was skipped as a whole ends with another status than 0.
    session.run("pytest", f"tests/adapters/test_{name}.py")
