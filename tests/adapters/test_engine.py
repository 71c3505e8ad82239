"""What holds of all adapters together: imports, and strange objects."""

import subprocess
import sys
from typing import Any

import pytest

from tinyguardrail_sdk import Guard, InputError
from tinyguardrail_sdk.adapters import wrap


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout


# Adapter, package, extra.
ADAPTERS = [
    ("openai", "openai", "openai"),
    ("anthropic", "anthropic", "anthropic"),
    ("bedrock", "botocore.client", "bedrock"),
    ("cohere", "cohere", "cohere"),
    ("google_genai", "google.genai", "google-genai"),
    ("litellm", "litellm", "litellm"),
    ("mistral", "mistralai.client", "mistral"),
    ("ollama", "ollama", "ollama"),
]


@pytest.mark.parametrize(("adapter", "package", "extra"), ADAPTERS)
def test_without_the_client_the_adapter_says_what_to_install(
    adapter: str, package: str, extra: str
) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"from tinyguardrail_sdk.adapters.{adapter} import wrap\n"
        "try: wrap(object(), None)\n"
        "except ImportError as error: print(error)"
    )
    assert f"pip install 'tinyguardrail-sdk[{extra}]'" in python(code)


def test_without_the_proxy_its_guardrail_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['litellm.integrations.custom_guardrail'] = None\n"
        "from tinyguardrail_sdk.adapters.litellm_proxy import guardrail\n"
        "try: guardrail(None)\n"
        "except ImportError as error: print(error)"
    )
    assert "pip install 'tinyguardrail-sdk[litellm-proxy]'" in python(code)


def test_importing_the_adapters_imports_no_client() -> None:
    modules = ", ".join(f"tinyguardrail_sdk.adapters.{adapter}" for adapter, _, _ in ADAPTERS)
    loaded = set(python(f"import sys, {modules}; print(*sys.modules)").split())
    assert f"tinyguardrail_sdk.adapters.{ADAPTERS[-1][0]}" in loaded
    assert loaded.isdisjoint({package for _, package, _ in ADAPTERS} | {"onnxruntime", "torch"})


@pytest.mark.parametrize("client", [object(), Guard, "text", sys])
def test_other_objects_have_no_adapter(guard: Guard, client: Any) -> None:
    with pytest.raises(InputError, match="no adapter"):
        wrap(client, guard)
