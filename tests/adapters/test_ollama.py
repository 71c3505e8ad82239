import importlib.util
import os
import unittest.mock
from typing import Any

import pytest

from tests.adapters.conformance import (
    ATTACK,
    FOUND,
    PLAIN,
    QUESTION,
    STREAM,
    Conformance,
    Dialect,
    Make,
    Shape,
    conversation,
    installed,
)
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Blocked, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters import wrap

ollama = installed("ollama", extra="ollama")


CALL = {"function": {"name": "look", "arguments": {}}}
TOOL = [
    *conversation(QUESTION),
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "tool_name": "look", "content": FOUND},
]
CHAT = Dialect(
    ask=lambda text: {"model": "m", "messages": conversation(text)},
    hostile={
        "tool": {"model": "m", "messages": TOOL},
        "objects": {"model": "m", "messages": [ollama.Message(**each) for each in TOOL]},
    },
)
GENERATION = Dialect(
    ask=lambda text: {"model": "m", "prompt": text, "system": f"You talk about {ATTACK}."},
    hostile={"suffix": {"model": "m", "prompt": "def add(", "suffix": FOUND}},
    calls=False,
)


def make(kind: str) -> Make:
    return lambda wire, retries: getattr(ollama, kind)(wire.url)


class TestOllama(Conformance):
    forms = {kind: make(kind) for kind in ("Client", "AsyncClient")}
    shapes = [
        Shape("chat", PLAIN, CHAT, retries=False),
        Shape("chat", STREAM, CHAT, {"stream": True}, retries=False),
        Shape("generate", PLAIN, GENERATION, retries=False),
        Shape("generate", STREAM, GENERATION, {"stream": True}, retries=False),
    ]
    limited = ollama.ResponseError
    example = ("Ollama", "Client()", 'Client("{url}")')
    refused = ["systemone"]

    @staticmethod
    async def close(client: Any) -> None:
        inner = client._client  # older clients have no way to close it
        if "Async" in type(client).__name__:
            await inner.aclose()
        else:
            inner.close()

    def test_a_context_of_tokens_is_not_sent(self, form: Make, guard: Guard, wire: Wire) -> None:
        with pytest.raises(InputError, match="context"):
            self.run(form(wire, 0), guard, self.shapes[2], {"prompt": QUESTION, "context": [1, 2]})
        assert wire.bodies == []


def fresh_module(wire: Wire, retries: int) -> Any:
    """The module once more, whose own client asks the server."""
    spec = importlib.util.find_spec("ollama")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with unittest.mock.patch.dict(os.environ, {"OLLAMA_HOST": wire.url}):
        spec.loader.exec_module(module)
    return module


class TestOllamaModule(TestOllama):
    forms = {"module": fresh_module}
    test_the_documented_example_runs = None  # type: ignore[assignment]  # it is of a client

    @staticmethod
    async def close(client: Any) -> None:
        client.embed.__self__._client.close()

    def test_what_it_has_besides_is_as_before(self, guard: Guard, wire: Wire) -> None:
        module = fresh_module(wire, 0)
        before = dict(vars(module))
        with wrap(module, guard):
            changed = {name for name in before if vars(module)[name] != before[name]}
            functions = {name for name in before if hasattr(before[name], "__self__")}
            assert {"chat", "generate"} <= changed <= functions
            assert module.embed.__self__ is not before["embed"].__self__
        assert vars(module) == before


def test_only_modules_of_clients_are_known(guard: Guard) -> None:
    with pytest.raises(InputError, match="no adapter"):
        wrap(os, guard)


def test_another_module_of_the_package_is_refused(guard: Guard) -> None:
    module = importlib.import_module("ollama._types")
    with pytest.raises(InputError, match="pass ollama itself"):
        wrap(module, guard)


def test_arguments_by_position_are_read(guard: Guard, wire: Wire) -> None:
    client = ollama.Client(wire.url)
    wrap(client, guard)
    with pytest.raises(Blocked):
        client.chat("m", conversation(ATTACK))
    with pytest.raises(TypeError, match="multiple values"):
        client.chat("m", conversation(QUESTION), messages=conversation(ATTACK))
    assert wire.bodies == []
    assert client.chat("m", conversation(QUESTION)).message.content == wire.text
    client._client.close()


def test_what_a_later_version_adds_is_refused(guard: Guard, wire: Wire) -> None:
    class Later(ollama.Client):  # type: ignore[misc, name-defined]
        def dream(self) -> str:
            return ATTACK

    client = Later(wire.url)
    wrap(client, guard)
    with pytest.raises(GuardrailError, match=r"client\.dream is not guarded yet"):
        client.dream()
    client._client.close()
