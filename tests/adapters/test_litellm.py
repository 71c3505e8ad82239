import asyncio
import functools
import importlib
import inspect
import os
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.adapters.conformance import (
    ATTACK,
    FILE_URL,
    FOUND,
    PLAIN,
    QUESTION,
    STREAM,
    Conformance,
    Dialect,
    Shape,
    conversation,
    installed,
)
from tests.adapters.openai_requests import ATTACHED, SEARCH
from tests.adapters.shapes import AT_ONCE, COLLECTED, NEVER
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Blocked, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.adapters._handle import MARK
from tinyguardrail_sdk.adapters.litellm import wrap as wrap_litellm
from tinyguardrail_sdk.testing import ScriptedClassifier

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or it asks the network for one
litellm = installed("litellm", extra="litellm")

# LiteLLM, and what it leaves open, warn of themselves.
pytestmark = pytest.mark.filterwarnings("ignore")

MODEL = "openai/gpt-4o-mini"
CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
# For some vendors LiteLLM makes a document of it.
PICTURE = {"type": "image_url", "image_url": {"url": FILE_URL}}
PICTURED = {"role": "user", "content": [PICTURE]}


CHAT = Dialect(
    ask=lambda text: {"model": MODEL, "messages": conversation(text)},
    hostile={
        "tool": {
            "model": MODEL,
            "messages": [
                *conversation(QUESTION),
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c", "content": FOUND},
            ],
        },
        "attachment": {"model": MODEL, "messages": [*conversation(QUESTION), ATTACHED]},
        "picture": {"model": MODEL, "messages": [*conversation(QUESTION), PICTURED]},
        "documents": {
            "model": MODEL,
            "messages": conversation(QUESTION),
            "documents": [{"title": "Hours", "snippet": FOUND}],
        },
        "fallback": {
            "model": MODEL,
            "messages": conversation(QUESTION),
            "fallbacks": [{"model": MODEL, "messages": conversation(ATTACK)}],
        },
        "variables": {
            "model": MODEL,
            "messages": conversation(QUESTION),
            "prompt_variables": {"city": ATTACK},
        },
    },
)
RESPONSES = Dialect(
    ask=lambda text: {"model": MODEL, "input": conversation(text)},
    hostile={
        "tool": {
            "model": MODEL,
            "input": [
                *conversation(QUESTION),
                {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": FOUND},
            ],
        },
        "document": {"model": MODEL, "input": [*conversation(QUESTION), SEARCH]},
    },
)


class Call(Shape):
    """With what the module has to be told each time: a router knows it."""

    def method(self, client: Any) -> Any:
        return functools.partial(super().method(client), **SETTINGS)


SETTINGS: dict[str, Any] = {}


def module(wire: Wire, retries: int) -> Any:
    SETTINGS.update(api_base=f"{wire.url}/v1", api_key="none", max_retries=retries)
    return litellm


def router(wire: Wire, retries: int) -> Any:
    SETTINGS.clear()
    served = {"model": MODEL, "api_base": f"{wire.url}/v1", "api_key": "none", "max_retries": 0}
    deployment = {"model_name": MODEL, "litellm_params": served}
    return litellm.Router(model_list=[deployment], num_retries=retries)


class Steps:
    """A stream that is gone through synchronously, though it can be otherwise as well."""

    def __init__(self, stream: Any) -> None:
        self.close = getattr(stream, "close", lambda: None)
        self._stream = stream

    def __iter__(self) -> Iterator[Any]:
        return iter(self._stream)


STREAMED = {"stream": True}
HANDLER = importlib.import_module("litellm.litellm_core_utils.streaming_handler")
EVENTS = importlib.import_module("litellm.responses.streaming_iterator")
# Older versions can close streams of completions only asynchronously, and those of responses not.
CLOSES = AT_ONCE if hasattr(HANDLER.CustomStreamWrapper, "close") else NEVER
LEAVES = AT_ONCE if hasattr(EVENTS.SyncResponsesAPIStreamingIterator, "close") else COLLECTED
SHAPES: list[Shape] = [
    Call("completion", PLAIN, CHAT),
    Call("completion", STREAM, CHAT, STREAMED, Steps, hangs_up=CLOSES),
    Call("acompletion", PLAIN, CHAT, asynchronous=True),
    Call("acompletion", STREAM, CHAT, STREAMED, asynchronous=True),
    Call("responses", PLAIN, RESPONSES, retries=False),
    Call("responses", STREAM, RESPONSES, STREAMED, Steps, retries=False, hangs_up=LEAVES),
    Call("aresponses", PLAIN, RESPONSES, asynchronous=True, retries=False),
    Call(
        "aresponses",
        STREAM,
        RESPONSES,
        STREAMED,
        asynchronous=True,
        retries=False,
        hangs_up=LEAVES,
    ),
]


@pytest.fixture(autouse=True)
def _unguarded_in_the_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    clock = SimpleNamespace(**{**vars(time), "time": lambda: 1.0})  # it stands in every chunk
    for each in (HANDLER, importlib.import_module("litellm.types.utils")):
        monkeypatch.setattr(each, "time", clock)
    yield
    if (handle := vars(litellm).get(MARK)) is not None:
        handle.undo()


class TestLiteLLM(Conformance):
    forms = {"module": module, "Router": router}
    shapes = SHAPES
    limited = litellm.RateLimitError
    example = (
        "LiteLLM",
        '"model": "openai/gpt-5-mini"',
        '"model": "openai/gpt-5-mini", "api_base": "{url}/v1", "api_key": "none"',
    )
    refused = [
        "text_completion",
        "atext_completion",
        "anthropic_messages",
        "agenerate_content",
        "arun_thread",
        "_arealtime",
    ]

    @staticmethod
    async def close(client: Any) -> None:
        pass


@pytest.fixture
def served(wire: Wire) -> Any:
    return router(wire, 0)


class Counting(Guard):
    """Counts what it is asked, for a guard remembers what it has judged.

    Attributes:
        asked: How many times.
    """

    asked = 0

    def check_messages(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        return super().check_messages(*args, **kwargs)

    async def acheck_messages(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        return await super().acheck_messages(*args, **kwargs)


def test_a_router_and_the_module_check_once(
    classifier: ScriptedClassifier, wire: Wire, served: Any
) -> None:
    guard = Counting(classifier=classifier)
    wrap(litellm, guard)
    wrap(served, guard)
    served.completion(**CHAT.ask(QUESTION))
    assert guard.asked == 2
    asyncio.run(served.acompletion(**CHAT.ask(QUESTION)))
    assert guard.asked == 4


def test_a_blocked_answer_is_not_asked_for_again(guard: Guard, wire: Wire) -> None:
    wire.text = ATTACK
    client = router(wire, 2)
    wrap(litellm, guard)
    wrap(client, guard)
    with pytest.raises(Blocked):
        client.completion(**CHAT.ask(QUESTION))
    with pytest.raises(Blocked):
        asyncio.run(client.acompletion(**CHAT.ask(QUESTION)))
    assert len(wire.bodies) == 2


def test_a_router_is_guarded_by_the_module(guard: Guard, wire: Wire, served: Any) -> None:
    wrap(litellm, guard)
    with pytest.raises(Blocked):
        served.completion(**CHAT.ask(ATTACK))
    assert wire.bodies == []


@pytest.mark.parametrize("name", ["completion", "acompletion", "aresponses"])
def test_an_attack_given_by_position_reaches_no_one(
    guard: Guard, wire: Wire, served: Any, name: str
) -> None:
    order = (ATTACK, MODEL) if name == "aresponses" else (MODEL, conversation(ATTACK))
    if "custom_llm_provider" in inspect.signature(getattr(served, name)).parameters:
        pytest.skip("this version has no input by position")
    wrap(served, guard)

    async def asked() -> None:
        answer = getattr(served, name)(*order)
        await answer if name.startswith("a") else None

    with pytest.raises(Blocked):
        asyncio.run(asked())
    assert wire.bodies == []


@pytest.mark.parametrize("stream", [False, True])
def test_the_bridge_to_completions_checks_once(
    classifier: ScriptedClassifier, wire: Wire, stream: bool
) -> None:
    module(wire, 0)
    guard = Counting(classifier=classifier)
    wrap(litellm, guard)
    asked = {**RESPONSES.ask(QUESTION), **SETTINGS, "model": "deepseek/m"}
    answer = litellm.responses(**asked, stream=stream)
    assert "Paris" in repr([*answer] if stream else answer)
    assert "messages" in wire.bodies[0]  # it went the other way
    assert guard.asked == 2
    wire.text = ATTACK
    with pytest.raises(Blocked):
        list(litellm.responses(**asked, stream=stream))


def test_what_is_started_by_a_call_is_judged_after_it(guard: Guard, wire: Wire) -> None:
    module(wire, 0)
    wrap(litellm, guard)
    over = asyncio.Event()

    async def later() -> None:
        await over.wait()
        await litellm.acompletion(**CHAT.ask(ATTACK), **SETTINGS)

    class Logger(litellm.integrations.custom_logger.CustomLogger):  # type: ignore[misc, name-defined]
        async def async_pre_call_deployment_hook(self, kwargs: Any, call_type: Any) -> None:
            started.append(asyncio.create_task(later()))

    started: list[asyncio.Task[None]] = []

    async def main() -> None:
        litellm.callbacks = [Logger()]
        try:
            await litellm.acompletion(**CHAT.ask(QUESTION), **SETTINGS)
        finally:
            litellm.callbacks = []
        over.set()
        await started[0]

    with pytest.raises(Blocked):
        asyncio.run(main())
    assert len(wire.bodies) == 1


def test_tools_that_litellm_runs_itself_are_refused(guard: Guard, wire: Wire) -> None:
    module(wire, 0)
    wrap(litellm, guard)
    tool = {"type": "mcp", "server_url": "litellm_proxy", "server_label": "shop"}
    with pytest.raises(InputError, match="run it yourself"):
        litellm.completion(**CHAT.ask(QUESTION), **SETTINGS, tools=[tool])
    assert wire.bodies == []


def test_batches_are_refused(guard: Guard, wire: Wire, served: Any) -> None:
    wrap(litellm, guard)
    wrap(served, guard)
    for batch in (litellm.batch_completion, served.abatch_completion):
        with pytest.raises(GuardrailError, match="not guarded yet"):
            batch(model=MODEL, messages=[conversation(ATTACK)])
    assert wire.bodies == []


def test_arguments_by_position_are_read(guard: Guard, wire: Wire) -> None:
    module(wire, 0)
    wrap(litellm, guard)
    with pytest.raises(Blocked):
        litellm.completion(MODEL, conversation(ATTACK), **SETTINGS)
    assert litellm.completion(MODEL, conversation(QUESTION), **SETTINGS).choices
    assert len(wire.bodies) == 1


def test_a_stream_keeps_what_it_has_to_say(guard: Guard, wire: Wire) -> None:
    module(wire, 0)
    plain = litellm.completion(**CHAT.ask(QUESTION), **SETTINGS, stream=True)
    wrap(litellm, guard)
    stream = litellm.completion(**CHAT.ask(QUESTION), **SETTINGS, stream=True)
    assert isinstance(stream, type(plain))
    assert stream.model == plain.model
    built = litellm.stream_chunk_builder(list(stream))
    assert built.choices[0].message.content == wire.text


def test_what_is_not_litellms_is_refused(guard: Guard) -> None:
    with pytest.raises(InputError, match="known are Router"):
        wrap_litellm(object(), guard)
