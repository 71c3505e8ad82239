import asyncio
from typing import Any

import pytest

from tests.frameworks.langchain_fakes import (
    LONG,
    STREAMS,
    WHY,
    Chunk,
    Streamer,
    every_way,
    messages,
    pieces,
)
from tests.frameworks.texts import ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, Delay, Guard
from tinyguardrail_sdk.adapters.langchain import runnable

documents: Any = pytest.importorskip("langchain_core.documents", reason=WHY)
prompts: Any = pytest.importorskip("langchain_core.prompts", reason=WHY)
runnables: Any = pytest.importorskip("langchain_core.runnables", reason=WHY)

DOCUMENT = documents.Document(PAGE)
PROMPT = prompts.ChatPromptTemplate([("system", ATTACK), ("human", "{question}")])


@every_way
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


@every_way
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


@every_way
def test_a_streamed_dictionary_is_gathered_first(guard: Guard, call: Any) -> None:
    parallel = runnables.RunnableParallel(said=Streamer(chunks=STREAMS["text"]))
    with pytest.raises(Blocked):
        call(parallel | runnable(guard), QUESTION)
