import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, CheckFailed, Delay, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters.langchain import guard_model, middleware, runnable
from tinyguardrail_sdk.testing import ScriptedClassifier

WHY = "pip install 'tinyguardrail-sdk[langchain]'"
agents: Any = pytest.importorskip("langchain.agents", reason=WHY)
models: Any = pytest.importorskip("langchain_core.language_models", reason=WHY)
messages: Any = pytest.importorskip("langchain_core.messages", reason=WHY)
chat_models: Any = pytest.importorskip("langchain_core.language_models.chat_models", reason=WHY)
langgraph: Any = pytest.importorskip("langgraph.types", reason=WHY)
outputs: Any = pytest.importorskip("langchain_core.outputs", reason=WHY)
callbacks: Any = pytest.importorskip("langchain_core.callbacks", reason=WHY)
caches: Any = pytest.importorskip("langchain_core.caches", reason=WHY)
documents: Any = pytest.importorskip("langchain_core.documents", reason=WHY)
prompts: Any = pytest.importorskip("langchain_core.prompts", reason=WHY)
runnables: Any = pytest.importorskip("langchain_core.runnables", reason=WHY)

LONG = "The capital of France lies on the river Seine. " * 40
CALL = {"name": "look", "args": {"city": "Paris"}, "id": "call_1"}


class Model(models.GenericFakeChatModel):  # type: ignore[misc]
    """Counts what it is asked, and takes tools."""

    asked: list[Any] = []

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        self.asked.append(messages)
        return super()._generate(messages, *args, **kwargs)

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(**kwargs)


def made(*answers: Any) -> Any:
    return Model(messages=iter(answers), asked=[])


def look(city: str) -> str:
    """Look something up."""
    return {"Paris": "It is in France."}.get(city, PAGE)


class Listener(callbacks.BaseCallbackHandler):  # type: ignore[misc]
    """Writes down the tokens that it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def on_llm_new_token(self, token: Any, **_: Any) -> None:
        self.told.append(token)

    def on_llm_end(self, response: Any, **_: Any) -> None:
        self.told.append(response.generations[0][0].message.content)


async def _gather(stream: Any) -> list[Any]:
    return [each async for each in stream]


WAYS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "invoke": lambda each, given, config: each.invoke(given, config),
    "ainvoke": lambda each, given, config: asyncio.run(each.ainvoke(given, config)),
    "stream": lambda each, given, config: list(each.stream(given, config)),
    "astream": lambda each, given, config: asyncio.run(_gather(each.astream(given, config))),
}


@pytest.fixture(params=WAYS)
def call(request: pytest.FixtureRequest) -> Callable[..., Any]:
    def calling(each: Any, given: Any, config: Any = None) -> Any:
        return WAYS[request.param](each, given, config)

    return calling


ATTACKS = [
    [("human", ATTACK)],
    [("human", QUESTION), ("ai", "x"), ("human", [{"type": "text", "text": ATTACK}])],
    [
        ("human", QUESTION),
        messages.AIMessage("", tool_calls=[CALL]),
        messages.ToolMessage(PAGE, tool_call_id="call_1"),
    ],
    [("human", [{"type": "text-plain", "text": PAGE, "mime_type": "text/plain"}])],
]


def test_benign_calls_of_a_model_are_as_without_a_guard(guard: Guard, call: Any) -> None:
    def said(answer: Any) -> list[Any]:
        found = answer if isinstance(answer, list) else [answer]
        return [(type(each), each.content) for each in found]

    plain, kept = made(ANSWER), made(ANSWER)
    model = guard_model(kept, guard)
    assert isinstance(model, Model)
    assert said(call(model, [("system", ATTACK), ("human", QUESTION)])) == said(
        call(plain, QUESTION)
    )
    assert model.lc_id() == plain.lc_id()


@pytest.mark.parametrize("given", ATTACKS, ids=lambda each: str(each[-1])[:30])
def test_an_attack_does_not_reach_the_model(guard: Guard, call: Any, given: Any) -> None:
    model = made(ANSWER)
    with pytest.raises(Blocked):
        call(guard_model(model, guard), given)
    assert model.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        f"{ATTACK} and more",
        messages.AIMessage(ATTACK, tool_calls=[CALL]),
        messages.AIMessage("", additional_kwargs={"reasoning_content": ATTACK}),
        messages.AIMessage("", additional_kwargs={"reasoning": {"summary": [{"text": ATTACK}]}}),
        messages.AIMessage(
            "", additional_kwargs={"function_call": {"name": "look", "arguments": ATTACK}}
        ),
    ],
)
def test_no_token_of_an_attack_is_told(guard: Guard, call: Any, answer: Any) -> None:
    listener, model = Listener(), guard_model(made(answer), guard)
    with pytest.raises(Blocked):
        call(model, QUESTION, {"callbacks": [listener]})
    assert "".join(listener.told) == ""


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_an_attack_in_a_tool_call_is_not_told(guard: Guard, way: str) -> None:
    answer = messages.AIMessage("", tool_calls=[CALL | {"args": {"city": ATTACK}}])
    with pytest.raises(Blocked):
        WAYS[way](guard_model(made(answer), guard), QUESTION, None)


class Streamer(models.BaseChatModel):  # type: ignore[misc]
    """Streams chunks of its own, and tells a run manager that it is given of them at once."""

    chunks: list[Any]

    @property
    def _llm_type(self) -> str:
        return "streamer"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> Any:
        chunks = self._stream(messages, run_manager=run_manager)
        return chat_models.generate_from_stream(chunks)

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any
    ) -> Iterator[Any]:
        for each in self.chunks:
            chunk = outputs.ChatGenerationChunk(message=each)
            if run_manager is not None:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk


def pieces(text: str) -> list[str]:
    return [text[at : at + 6] for at in range(0, len(text), 6)]


Chunk = messages.AIMessageChunk


def summary(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "index": 0, "text": text}


STREAMS = {
    "text": [Chunk(each) for each in pieces(ATTACK)],
    "blocks": [Chunk([{"type": "text", "text": each, "index": 0}]) for each in pieces(ATTACK)],
    "reasoning": [
        Chunk([{"type": "reasoning", "reasoning": each, "index": 0}]) for each in pieces(ATTACK)
    ],
    "summary": [
        Chunk([{"type": "reasoning", "index": 0, "summary": [summary(each)]}])
        for each in pieces(ATTACK)
    ],
    "function call": [
        Chunk("", additional_kwargs={"function_call": {"arguments": each}})
        for each in pieces(ATTACK)
    ],
    "calls": [
        Chunk("", tool_call_chunks=[{"name": None, "args": each, "id": None, "index": 0}])
        for each in pieces(f'{{"city": "{ATTACK}"}}')
    ],
}


@pytest.mark.parametrize("kind", STREAMS)
def test_no_chunk_of_an_attack_is_released(guard: Guard, call: Any, kind: str) -> None:
    model = guard_model(Streamer(chunks=STREAMS[kind]), guard)
    out: list[Any] = []
    listener = Listener()
    with pytest.raises(Blocked):
        call(model, QUESTION, {"callbacks": [listener]})
    with pytest.raises(Blocked):
        out.extend(model.stream(QUESTION))
    assert (out, listener.told) == ([], [])


def test_a_long_stream_flows_until_the_attack(guard: Guard) -> None:
    chunks = [Chunk(each) for each in pieces(LONG + ATTACK)]
    model = guard_model(Streamer(chunks=chunks), guard, delay=Delay(hold=60, every=40))
    said: list[str] = []
    with pytest.raises(Blocked):
        said.extend(each.content for each in model.stream(QUESTION))
    assert len(LONG) - 120 < len("".join(said)) <= len(LONG)


def test_events_of_the_newer_protocol_are_held_back(guard: Guard) -> None:
    listener = Listener()
    model = guard_model(Streamer(chunks=STREAMS["text"]), guard)

    told: list[str] = []

    async def events() -> None:
        async for each in model.astream_events(QUESTION, {"callbacks": [listener]}, version="v2"):
            told.append(each["event"])

    with pytest.raises(Blocked):
        asyncio.run(events())
    assert told == ["on_chat_model_start"]
    assert "".join(listener.told) == ""


def test_an_answer_of_a_cache_is_not_taken(guard: Guard) -> None:
    cache = caches.InMemoryCache()
    Model(messages=iter([ATTACK]), asked=[], cache=cache).invoke(QUESTION)
    model = Model(messages=iter([ANSWER]), asked=[], cache=cache)
    assert guard_model(model, guard).invoke(QUESTION).content == ANSWER


def test_a_model_is_guarded_once(guard: Guard) -> None:
    model = guard_model(made(ANSWER), guard)
    assert guard_model(model, guard) is model
    with pytest.raises(GuardrailError, match="another way"):
        guard_model(model, Guard(classifier=ScriptedClassifier()))
    with pytest.raises(InputError, match="no chat model"):
        guard_model(object(), guard)
    with pytest.raises(Blocked):
        guard_model(made(ANSWER).bind(stop=["x"]), guard).invoke(ATTACK)
    with pytest.raises(Blocked):
        model.model_copy(update={"name": "copied"}).invoke(ATTACK)


class Broken(Model):
    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        raise OSError("no connection")


@pytest.mark.parametrize(("asked", "error"), [("explode", CheckFailed), (QUESTION, OSError)])
def test_errors_pass_through(guard: Guard, call: Any, asked: str, error: type[Exception]) -> None:
    model = guard_model(Broken(messages=iter([])), guard)
    with pytest.raises(error):
        call(model, asked)
    with pytest.raises(error):
        call(agent(model, guard), asking(asked))


def test_concurrent_calls_do_not_mix(guard: Guard) -> None:
    model = guard_model(Streamer(chunks=[Chunk(ANSWER)]), guard)
    answers = asyncio.run(model.abatch([QUESTION, ATTACK] * 6, return_exceptions=True))
    assert [type(each) for each in answers] == [messages.AIMessage, Blocked] * 6


def agent(model: Any, guard: Guard, tools: Any = (look,), **options: Any) -> Any:
    return agents.create_agent(model, list(tools), middleware=[middleware(guard, **options)])


def asking(text: str) -> Any:
    return {"messages": [("human", text)]}


@pytest.mark.parametrize("tools", [(look,), ()])
def test_a_benign_agent_is_as_without_a_guard(guard: Guard, call: Any, tools: Any) -> None:
    def said(answer: Any) -> list[Any]:
        return [type(answer), str(answer).count("It is in France."), str(answer).count(ANSWER)]

    answers = [messages.AIMessage("", tool_calls=[CALL]), ANSWER] if tools else [ANSWER]
    plain = agents.create_agent(made(*answers), list(tools))
    assert (
        said(call(agent(made(*answers), guard, tools), asking(QUESTION)))[0]
        is said(call(plain, asking(QUESTION)))[0]
    )
    answer = agent(made(*answers), guard, tools).invoke(asking(QUESTION))
    assert answer["messages"][-1].content == ANSWER


def test_an_attack_does_not_reach_the_agent(guard: Guard, call: Any) -> None:
    model = made(ANSWER)
    with pytest.raises(Blocked):
        call(agent(model, guard), asking(ATTACK))
    assert model.asked == []


def test_an_attack_in_a_tool_result_does_not_go_on(guard: Guard, call: Any) -> None:
    model = made(messages.AIMessage("", tool_calls=[CALL | {"args": {"city": "Rome"}}]), ANSWER)
    with pytest.raises(Blocked):
        call(agent(model, guard), asking(QUESTION))
    assert len(model.asked) == 1


def test_an_attack_in_a_command_of_a_tool_does_not_go_on(guard: Guard, call: Any) -> None:
    def look(city: str) -> Any:
        """Look something up."""
        page = messages.ToolMessage(PAGE, tool_call_id="call_1")
        return langgraph.Command(update={"messages": [messages.RemoveMessage(id="x"), page]})

    model = made(messages.AIMessage("", tool_calls=[CALL]), ANSWER)
    with pytest.raises(Blocked):
        call(agent(model, guard, [look]), asking(QUESTION))
    assert len(model.asked) == 1


def test_a_blocked_tool_result_can_be_replaced(guard: Guard, call: Any) -> None:
    model = made(messages.AIMessage("", tool_calls=[CALL | {"args": {"city": "Rome"}}]), ANSWER)
    call(agent(model, guard, tool_error="It cannot be shown."), asking(QUESTION))
    assert [each.content for each in model.asked[1][1:]] == ["", "It cannot be shown."]
    assert model.asked[1][-1].status == "error"


def test_an_attack_in_the_answer_of_the_agent_is_not_told(guard: Guard, call: Any) -> None:
    with pytest.raises(Blocked):
        call(agent(made(f"{ATTACK} and more"), guard), asking(QUESTION))
    model = agent(made(f"{ATTACK} and more"), guard)
    out: list[Any] = []
    with pytest.raises(Blocked):
        out.extend(model.stream(asking(QUESTION), stream_mode="messages"))
    assert "zebra" not in str(out)


DOCUMENT = documents.Document(PAGE)
PROMPT = prompts.ChatPromptTemplate([("system", ATTACK), ("human", "{question}")])


@pytest.mark.parametrize(
    "given",
    [
        ATTACK,
        [DOCUMENT],
        {"question": QUESTION, "pages": [documents.Document("fine"), DOCUMENT]},
        {"question": ATTACK, "number": 1, "flag": None, "type": "faq"},
        {"type": "image", "content": ATTACK},
        PROMPT.invoke({"question": ATTACK}),
        [messages.HumanMessage(QUESTION), messages.ToolMessage(PAGE, tool_call_id="c")],
        {"role": "user", "content": ATTACK},
        messages.AIMessage(ATTACK),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_runnable_stops_an_attack(guard: Guard, call: Any, given: Any) -> None:
    reached: list[Any] = []
    with pytest.raises(Blocked):
        call(runnable(guard) | runnables.RunnableLambda(reached.append), given)
    assert reached == []


@pytest.mark.parametrize(
    "given",
    [
        QUESTION,
        "",
        [documents.Document("fine")],
        {"a": QUESTION, "b": [None, 1]},
        {"text": QUESTION, "language": "French", "role": "teacher"},
        PROMPT.invoke({"question": QUESTION}),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_runnable_passes_the_rest_unchanged(guard: Guard, call: Any, given: Any) -> None:
    answer = call(runnable(guard), given)
    assert answer in (given, [given])


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_stream_through_a_runnable_is_held_back(guard: Guard, asynchronous: bool) -> None:
    chunks = [Chunk(each) for each in pieces(LONG + ATTACK)]
    chain = Streamer(chunks=chunks) | runnable(guard, delay=Delay(hold=60, every=40))
    said: list[str] = []

    def stream() -> None:
        said.extend(each.content for each in chain.stream(QUESTION))

    async def astream() -> None:
        async for each in chain.astream(QUESTION):
            said.append(each.content)

    with pytest.raises(Blocked):
        asyncio.run(astream()) if asynchronous else stream()
    assert len(LONG) - 120 < len("".join(said)) <= len(LONG)


def test_a_streamed_dictionary_is_gathered_first(guard: Guard, call: Any) -> None:
    parallel = runnables.RunnableParallel(said=Streamer(chunks=STREAMS["text"]))
    with pytest.raises(Blocked):
        call(parallel | runnable(guard), QUESTION)
