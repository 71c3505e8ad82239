from collections.abc import Callable
from typing import Any

import openai
import pytest

from tests.adapters.shapes import ATTACK, Shape, ask
from tests.adapters.wire import PIECE, Wire
from tinyguardrail_sdk import Blocked, CheckFailed, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters import wrap
from tinyguardrail_sdk.adapters.openai import _Responses
from tinyguardrail_sdk.adapters.openai import wrap as wrap_openai
from tinyguardrail_sdk.testing import ScriptedClassifier

Make = Callable[[], Any]

CHAT = [
    Shape("chat.completions.create", "plain"),
    Shape("chat.completions.create", "stream", {"stream": True}),
    Shape("chat.completions.parse", "plain"),
    Shape("chat.completions.stream", "manager"),
]
RESPONSES = [
    Shape("responses.create", "plain"),
    Shape("responses.create", "stream", {"stream": True}),
    Shape("responses.parse", "plain"),
    Shape("responses.stream", "manager"),
]
SHAPES = CHAT + RESPONSES
QUESTION = "What is the capital of France?"


@pytest.fixture(
    params=[openai.OpenAI, openai.AsyncOpenAI, openai.AzureOpenAI], ids=lambda each: each.__name__
)
def make(request: pytest.FixtureRequest, wire: Wire) -> Make:
    def build(retries: int = 0) -> Any:
        more = {"api_version": "v1"} if request.param is openai.AzureOpenAI else {}
        return request.param(api_key="none", base_url=f"{wire.url}/v1", max_retries=retries, **more)

    return build


def asked(shape: Shape, text: str = QUESTION) -> dict[str, Any]:
    messages = [
        {"role": "system", "content": f"You talk about {ATTACK}."},  # the application may
        {"role": "user", "content": text},
    ]
    return {"model": "m", "messages" if shape in CHAT else "input": messages}


def tool_result(shape: Shape) -> dict[str, Any]:
    if shape in CHAT:
        function = {"name": "look", "arguments": "{}"}
        calls = [{"id": "c", "type": "function", "function": function}]
        result = {"role": "tool", "tool_call_id": "c", "content": f"9 to 5. {ATTACK}"}
        turns = [{"role": "assistant", "content": None, "tool_calls": calls}, result]
        return {"model": "m", "messages": asked(shape)["messages"] + turns}
    call = {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c", "output": f"9 to 5. {ATTACK}"}
    return {"model": "m", "input": [*asked(shape)["input"], call, result]}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("arguments", [None, '{"city": "Paris"}'])
def test_benign_calls_are_as_without_a_guard(
    make: Make, guard: Guard, wire: Wire, shape: Shape, arguments: str | None
) -> None:
    wire.arguments = arguments
    plain = ask(make, None, shape, asked(shape))
    guarded = ask(make, guard, shape, asked(shape))
    assert repr(guarded) == repr(plain)
    assert [type(each) for each in guarded] == [type(each) for each in plain]
    assert "Paris" in repr(guarded)
    assert wire.bodies[0] == wire.bodies[1]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("build", [lambda shape: asked(shape, ATTACK), tool_result])
def test_an_attack_in_the_request_is_not_sent(
    make: Make, guard: Guard, wire: Wire, shape: Shape, build: Callable[[Shape], dict[str, Any]]
) -> None:
    with pytest.raises(Blocked):
        ask(make, guard, shape, build(shape))
    assert wire.bodies == []


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_an_attack_in_the_answer_is_not_released(
    make: Make, guard: Guard, wire: Wire, shape: Shape
) -> None:
    wire.text = f"{ATTACK} and more"
    out: list[Any] = []
    with pytest.raises(Blocked):
        ask(make, guard, shape, asked(shape), out)
    assert len(wire.bodies) == 1
    assert ATTACK[:PIECE] not in repr(out)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_an_attack_in_a_tool_call_is_not_released(
    make: Make, guard: Guard, wire: Wire, shape: Shape
) -> None:
    wire.arguments = f'{{"n":"{ATTACK}"}}'
    out: list[Any] = []
    with pytest.raises(Blocked):
        ask(make, guard, shape, asked(shape), out)
    assert ATTACK[:PIECE] not in repr(out)


@pytest.mark.parametrize(
    "without",
    [
        (".delta",),
        (".delta", "_text.done", "arguments.done"),
        (".delta", "_text.done", "arguments.done", "part.done"),
        (".delta", ".done"),
    ],
)
@pytest.mark.parametrize("arguments", [None, f'{{"n":"{ATTACK}"}}'])
def test_a_text_that_does_not_come_in_pieces_is_read(
    make: Make, guard: Guard, wire: Wire, without: tuple[str, ...], arguments: str | None
) -> None:
    wire.without, wire.arguments = without, arguments
    wire.text = wire.text if arguments else ATTACK
    out: list[Any] = []
    with pytest.raises(Blocked):
        ask(make, guard, RESPONSES[1], asked(RESPONSES[1]), out)
    assert ATTACK not in repr(out)


def test_what_a_remote_tool_answered_is_read_though_its_arguments_came_in_pieces() -> None:
    call = {"type": "mcp_call", "arguments": '{"n": 1}', "output": ATTACK}
    reader = _Responses()
    kind = "response.mcp_call_arguments.delta"
    events: list[dict[str, Any]] = [
        {"type": kind, "output_index": 3, "delta": '{"n": 1}'},
        {"type": "response.output_item.done", "output_index": 3, "item": call},
    ]
    texts = [text for event in events for _, text in reader.chunk(event)]
    assert texts == ['{"n": 1}', ATTACK]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_errors_of_the_client_pass_through(
    make: Make, guard: Guard, wire: Wire, shape: Shape
) -> None:
    wire.failures = [429]
    with pytest.raises(openai.RateLimitError):
        ask(make, guard, shape, asked(shape))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_retries_and_helpers_check_once(
    make: Callable[[int], Any],
    guard: Guard,
    classifier: ScriptedClassifier,
    wire: Wire,
    shape: Shape,
) -> None:
    wire.failures = [500]
    ask(lambda: make(1), guard, shape, asked(shape))
    assert len(wire.bodies) == 2
    assert [text for text, _ in classifier.calls] == [QUESTION, wire.text]


def test_wrapping_twice_checks_once(
    make: Make, guard: Guard, classifier: ScriptedClassifier, wire: Wire
) -> None:
    def twice() -> Any:
        client = make()
        assert wrap(client, guard) is wrap_openai(client, guard)
        return client

    ask(twice, guard, CHAT[0], asked(CHAT[0]))
    assert [text for text, _ in classifier.calls] == [QUESTION, wire.text]


def test_another_guard_on_top_is_refused(make: Make, guard: Guard) -> None:
    client = make()
    wrap(client, guard)
    with pytest.raises(GuardrailError, match="undo"):
        wrap(client, Guard(classifier=ScriptedClassifier()))


def test_undo_restores_the_client(make: Make, guard: Guard, wire: Wire) -> None:
    client = make()
    owned = [set(vars(each)) for each in (client.chat.completions, client.responses, client)]
    handle = wrap(client, guard)
    assert [set(vars(each)) for each in (client.chat.completions, client.responses)] != owned[:2]
    handle.undo()
    handle.undo()
    assert [
        set(vars(each)) for each in (client.chat.completions, client.responses, client)
    ] == owned
    ask(lambda: client, None, CHAT[0], asked(CHAT[0], ATTACK))
    assert len(wire.bodies) == 1


def test_the_handle_is_a_context_manager(guard: Guard, wire: Wire) -> None:
    with (
        openai.OpenAI(api_key="none", base_url=f"{wire.url}/v1") as plain,
        wrap(plain, guard) as client,
        pytest.raises(Blocked),
    ):
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": ATTACK}])
    assert "create" not in vars(plain.chat.completions)


@pytest.mark.parametrize("name", ["copy", "with_options"])
def test_copies_are_guarded(make: Make, guard: Guard, wire: Wire, name: str) -> None:
    client = make()
    wrap(client, guard)
    copied = getattr(client, name)(timeout=5)
    with pytest.raises(Blocked):
        ask(lambda: copied, None, CHAT[0], asked(CHAT[0], ATTACK))
    assert wire.bodies == []


@pytest.mark.parametrize(
    "reach",
    [
        lambda client: client.with_raw_response.chat,
        lambda client: client.chat.with_streaming_response.completions,
        lambda client: client.chat.completions.with_raw_response.create(),
        lambda client: client.chat.completions.with_streaming_response.create(),
        lambda client: client.responses.with_raw_response.create(),
        lambda client: client.responses.connect(),
        lambda client: client.completions.create(),
        lambda client: client.beta.threads,
        lambda client: client.realtime.connect(),
        lambda client: client.batches.create(),
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
def test_arguments_may_be_iterators(make: Make, guard: Guard, wire: Wire, shape: Shape) -> None:
    request = asked(shape)
    key = "messages" if shape in CHAT else "input"
    ask(make, guard, shape, request | {key: iter(request[key])})
    assert wire.bodies[0][key] == request[key]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_body_in_extra_body_is_read(make: Make, guard: Guard, wire: Wire, shape: Shape) -> None:
    hidden = {"extra_body": asked(shape, ATTACK)}
    with pytest.raises(Blocked):
        ask(make, guard, shape, asked(shape) | hidden)
    assert wire.bodies == []


def test_a_file_that_cannot_be_read_is_not_sent(make: Make, guard: Guard, wire: Wire) -> None:
    part = {"type": "file", "file": {"file_id": "f"}}
    messages = [{"role": "user", "content": [part]}]
    with pytest.raises(InputError, match="unknown type"):
        ask(make, guard, CHAT[0], {"model": "m", "messages": messages})
    assert wire.bodies == []


def test_a_broken_check_is_not_sent(make: Make, wire: Wire) -> None:
    broken = Guard(classifier=ScriptedClassifier({QUESTION: RuntimeError("broken")}))
    with pytest.raises(CheckFailed):
        ask(make, broken, CHAT[0], asked(CHAT[0]))
    assert wire.bodies == []


def test_another_vendors_client_is_refused(guard: Guard) -> None:
    with pytest.raises(InputError, match="no OpenAI"):
        wrap_openai(object(), guard)  # type: ignore[type-var]
