from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from tests.adapters.shapes import ATTACK, Shape, ask
from tests.adapters.wire import PIECE, Wire
from tinyguardrail_sdk import Blocked, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.adapters.anthropic import wrap as wrap_anthropic
from tinyguardrail_sdk.testing import ScriptedClassifier

Make = Callable[[], Any]

SHAPES = [
    Shape("messages.create", "plain"),
    Shape("messages.create", "stream", {"stream": True}),
    Shape("messages.parse", "plain"),
    Shape("messages.stream", "manager"),
    Shape("beta.messages.create", "plain"),
    Shape("beta.messages.create", "stream", {"stream": True}),
    Shape("beta.messages.parse", "plain"),
    Shape("beta.messages.stream", "manager"),
]
QUESTION = "What is the capital of France?"
FIRST = SHAPES[0]


@pytest.fixture(
    params=[anthropic.Anthropic, anthropic.AsyncAnthropic], ids=lambda each: each.__name__
)
def make(request: pytest.FixtureRequest, wire: Wire) -> Make:
    def build(retries: int = 0) -> Any:
        return request.param(api_key="none", base_url=wire.url, max_retries=retries)

    return build


def asked(content: Any = QUESTION) -> dict[str, Any]:
    return {
        "model": "m",
        "max_tokens": 9,
        "system": f"You talk about {ATTACK}.",  # the application may
        "messages": [{"role": "user", "content": content}],
    }


TOOL_RESULT = {"type": "tool_result", "tool_use_id": "t", "content": f"9 to 5. {ATTACK}"}
PLAIN_TEXT = {"type": "text", "media_type": "text/plain", "data": f"9 to 5. {ATTACK}"}
DOCUMENT = {"type": "document", "source": PLAIN_TEXT}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("arguments", [None, '{"city": "Paris"}'])
def test_benign_calls_are_as_without_a_guard(
    make: Make, guard: Guard, wire: Wire, shape: Shape, arguments: str | None
) -> None:
    wire.arguments = arguments
    plain = ask(make, None, shape, asked())
    guarded = ask(make, guard, shape, asked())
    assert repr(guarded) == repr(plain)
    assert [type(each) for each in guarded] == [type(each) for each in plain]
    assert "Paris" in repr(guarded)
    assert wire.bodies[0] == wire.bodies[1]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("content", [ATTACK, [TOOL_RESULT], [DOCUMENT]])
def test_an_attack_in_the_request_is_not_sent(
    make: Make, guard: Guard, wire: Wire, shape: Shape, content: Any
) -> None:
    with pytest.raises(Blocked):
        ask(make, guard, shape, asked(content))
    assert wire.bodies == []


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_an_attack_in_the_answer_is_not_released(
    make: Make, guard: Guard, wire: Wire, shape: Shape
) -> None:
    wire.text = f"{ATTACK} and more"
    out: list[Any] = []
    with pytest.raises(Blocked):
        ask(make, guard, shape, asked(), out)
    assert len(wire.bodies) == 1
    assert ATTACK[:PIECE] not in repr(out)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_an_attack_in_a_tool_call_is_not_released(
    make: Make, guard: Guard, wire: Wire, shape: Shape
) -> None:
    wire.arguments = f'{{"n": "{ATTACK}"}}'
    out: list[Any] = []
    with pytest.raises(Blocked):
        ask(make, guard, shape, asked(), out)
    assert ATTACK[:PIECE] not in repr(out)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_errors_of_the_client_pass_through(
    make: Make, guard: Guard, wire: Wire, shape: Shape
) -> None:
    wire.failures = [429]
    with pytest.raises(anthropic.RateLimitError):
        ask(make, guard, shape, asked())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_retries_and_helpers_check_once(
    make: Callable[[int], Any],
    guard: Guard,
    classifier: ScriptedClassifier,
    wire: Wire,
    shape: Shape,
) -> None:
    wire.failures = [500]
    ask(lambda: make(1), guard, shape, asked())
    assert len(wire.bodies) == 2
    assert [text for text, _ in classifier.calls] == [QUESTION, wire.text]


def test_wrapping_twice_checks_once(
    make: Make, guard: Guard, classifier: ScriptedClassifier, wire: Wire
) -> None:
    def twice() -> Any:
        client = make()
        assert wrap(client, guard) is wrap_anthropic(client, guard)
        return client

    ask(twice, guard, FIRST, asked())
    assert [text for text, _ in classifier.calls] == [QUESTION, wire.text]


def test_undo_restores_the_client(make: Make, guard: Guard, wire: Wire) -> None:
    client = make()
    owned = [set(vars(each)) for each in (client.messages, client.beta, client.beta.messages)]
    wrap(client, guard).undo()
    again = [set(vars(each)) for each in (client.messages, client.beta, client.beta.messages)]
    assert again == owned
    ask(lambda: client, None, FIRST, asked(ATTACK))
    assert len(wire.bodies) == 1


@pytest.mark.parametrize(
    "copied",
    [
        lambda client: client.copy(),
        lambda client: client.with_options(timeout=5),
    ],
)
def test_copies_are_guarded(
    make: Make, guard: Guard, wire: Wire, copied: Callable[[Any], Any]
) -> None:
    client = make()
    wrap(client, guard)
    with pytest.raises(Blocked):
        ask(lambda: copied(client), None, FIRST, asked(ATTACK))
    assert wire.bodies == []


@pytest.mark.parametrize(
    "reach",
    [
        lambda client: client.with_raw_response.messages,
        lambda client: client.with_streaming_response.messages,
        lambda client: client.messages.with_raw_response.create(),
        lambda client: client.messages.with_streaming_response.create(),
        lambda client: client.messages.batches.create(),
        lambda client: client.beta.with_raw_response.messages,
        lambda client: client.beta.messages.with_raw_response.create(),
        lambda client: client.beta.messages.tool_runner(),
        lambda client: client.beta.messages.batches.create(),
    ],
)
def test_what_is_not_guarded_is_refused(
    make: Make, guard: Guard, reach: Callable[[Any], Any]
) -> None:
    client = make()
    wrap(client, guard)
    with pytest.raises(GuardrailError, match="not guarded yet"):
        reach(client)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_last_answer_goes_back_as_an_object(
    make: Make, guard: Guard, wire: Wire, shape: Shape
) -> None:
    (answer,) = ask(make, guard, FIRST, asked())
    turns = [*asked()["messages"], {"role": "assistant", "content": answer.content}]
    ask(make, guard, shape, asked() | {"messages": [*turns, {"role": "user", "content": "And?"}]})
    assert len(wire.bodies) == 2


def test_a_file_that_cannot_be_read_is_not_sent(make: Make, guard: Guard, wire: Wire) -> None:
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    with pytest.raises(InputError, match="not text"):
        ask(make, guard, FIRST, asked([{"type": "document", "source": source}]))
    assert wire.bodies == []


def test_another_vendors_client_is_refused(guard: Guard) -> None:
    with pytest.raises(InputError, match="no Anthropic"):
        wrap_anthropic(object(), guard)  # type: ignore[type-var]
