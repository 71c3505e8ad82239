"""What holds of all adapters together: imports, and strange objects."""

import importlib
import inspect
import subprocess
import sys
from typing import Any

import pytest

from tests.adapters.shapes import ATTACK
from tinyguardrail_sdk import Blocked, Delay, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.adapters._signatures import spelled
from tinyguardrail_sdk.adapters._twins import ABSENT, twin_of


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


def test_a_guard_wraps_by_itself(guard: Guard) -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(api_key="none") as client:
        delay = Delay(hold=100, every=50)
        handle = guard.wrap(client, delay=delay)
        assert (handle.client, handle.guard, handle.delay) == (client, guard, delay)
        assert guard.wrap(client, delay=delay) is handle
        with pytest.raises(GuardrailError, match="undo"):
            guard.wrap(client)
        with pytest.raises(Blocked):
            client.responses.create(model="m", input=ATTACK)
        handle.undo()
        assert "create" not in vars(client.responses)


def test_a_guard_says_what_it_cannot_wrap(guard: Guard) -> None:
    with pytest.raises(InputError, match="no adapter for object"):
        guard.wrap(object())


def test_a_guard_imports_the_adapters_when_it_wraps() -> None:
    code = (
        "import sys; from tinyguardrail_sdk import Guard\n"
        "print('tinyguardrail_sdk.adapters' in sys.modules)\n"
        "try: Guard().wrap(object())\n"
        "except ValueError: print('tinyguardrail_sdk.adapters' in sys.modules)"
    )
    assert python(code).split() == ["False", "True"]


@pytest.mark.parametrize(
    ("module", "function"),
    [
        ("agents.agent", "openai_agents.guard_agent"),
        ("crewai.llm", "crewai.guard_llm"),
        ("haystack.components", "haystack.guard_generator"),
        ("langchain_core.runnables", "langchain.guard_model"),
        ("llama_index.core.llms", "llama_index.guard_llm"),
        ("mcp.server", "mcp.middleware"),
        ("pydantic_ai.models", "pydantic_ai.guard_model"),
        ("smolagents.models", "smolagents.guard_model"),
        ("transformers.pipelines", "transformers.guard_pipeline"),
    ],
)
def test_an_object_that_is_guarded_otherwise_says_how(
    guard: Guard, module: str, function: str
) -> None:
    base = type("Base", (), {"__module__": module})
    own = type("Own", (base,), {"__module__": "application"})
    with pytest.raises(InputError, match=f"use tinyguardrail_sdk.adapters.{function}"):
        guard.wrap(own())


@pytest.mark.parametrize(
    ("module", "kind", "adapter"),
    [
        ("mcp.client.session", "ClientSession", "mcp"),
        ("mcp.client", "Client", "mcp"),
        ("smolagents.agents", "MultiStepAgent", "smolagents"),
    ],
)
def test_what_frameworks_guard_in_place_is_known_by_its_class(
    guard: Guard, monkeypatch: pytest.MonkeyPatch, module: str, kind: str, adapter: str
) -> None:
    own = type("Own", (type(kind, (), {"__module__": module}),), {})()
    at = importlib.import_module(f"tinyguardrail_sdk.adapters.{adapter}")
    monkeypatch.setattr(at, "wrap", lambda *given: given)
    assert guard.wrap(own) == (own, guard)  # type: ignore[comparison-overlap]


class Client:
    def __init__(self) -> None:
        self.name = "Ann"
        self._age = 1

    @property
    def age(self) -> int:
        return self._age

    def greet(self) -> str:
        return f"{self.word()} {self.name}, {self.age}"

    def word(self) -> str:
        return "Hello"

    def rename(self, name: str) -> None:
        self.name = name


def test_a_twin_has_the_state_of_the_other_one_but_not_its_guard() -> None:
    client, before = Client(), {"word": ABSENT}
    twin = twin_of(client, lambda: before)
    vars(client)["word"] = lambda: "guarded"
    client.name, client._age = "Bea", 2
    assert client.greet() == "guarded Bea, 2"
    assert twin.greet() == "Hello Bea, 2"
    twin.rename("Cas")
    assert client.name == "Cas"
    assert isinstance(twin, Client)


def test_a_twin_has_what_others_put_there_before_the_guard() -> None:
    client = Client()
    twin = twin_of(client, lambda: {"word": lambda: "traced"})
    vars(client)["word"] = lambda: "guarded"
    assert twin.greet() == "traced Ann, 1"


def test_arguments_by_position_have_names_where_the_method_says_none() -> None:
    def open_to_all(*args: int, **kwargs: int) -> tuple[tuple[int, ...], dict[str, int]]:
        return args, kwargs

    named = spelled(open_to_all, ("model", "messages"))
    assert inspect.signature(named).bind(1, 2, stop=3).arguments == {
        "model": 1,
        "messages": 2,
        "kwargs": {"stop": 3},
    }
    assert named(1, stop=3) == ((1,), {"stop": 3})
    assert spelled(Client.rename, ("other",)) is Client.rename
