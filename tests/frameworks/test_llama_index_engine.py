import asyncio
from typing import Any

import pytest

from tests.frameworks.llama_index_fakes import WHY, Message, scripted
from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters.llama_index import guard_engine, postprocessor

core: Any = pytest.importorskip("llama_index.core", reason=WHY)
schema: Any = pytest.importorskip("llama_index.core.schema", reason=WHY)
chat_engines: Any = pytest.importorskip("llama_index.core.chat_engine", reason=WHY)
query_engines: Any = pytest.importorskip("llama_index.core.query_engine", reason=WHY)
retrievers: Any = pytest.importorskip("llama_index.core.retrievers", reason=WHY)

pytestmark = pytest.mark.usefixtures("loop")


class Shelf(retrievers.BaseRetriever):  # type: ignore[misc]
    """Finds the same pages for every question."""

    def __init__(self, *pages: str, **metadata: str) -> None:
        super().__init__()
        self._pages = [schema.TextNode(text=each, metadata=metadata) for each in pages]

    def _retrieve(self, query_bundle: Any) -> list[Any]:
        return [schema.NodeWithScore(node=each, score=1.0) for each in self._pages]


def query_engine(llm: Any, *pages: str, streaming: bool = False, last: Any = ()) -> Any:
    return query_engines.RetrieverQueryEngine.from_args(
        Shelf(*pages), llm=llm, streaming=streaming, node_postprocessors=list(last)
    )


def ask(engine: Any, question: Any) -> Any:
    return engine.query(question)


def aask(engine: Any, question: Any) -> Any:
    return asyncio.run(engine.aquery(question))


every_query = pytest.mark.parametrize("query", [ask, aask])


@every_query
def test_a_poisoned_page_is_not_put_into_a_prompt(guard: Guard, query: Any) -> None:
    llm = scripted()
    with pytest.raises(Blocked):
        query(query_engine(llm, "fine", PAGE, last=[postprocessor(guard)]), QUESTION)
    assert llm.asked == []
    engine = query_engine(llm, "fine", PAGE, last=[postprocessor(guard, drop=True)])
    answer = query(engine, QUESTION)
    assert [each.node.text for each in answer.source_nodes] == ["fine"]
    assert ATTACK not in str(llm.asked)


def test_metadata_of_a_page_is_read_too(guard: Guard) -> None:
    nodes = Shelf("fine", author=ATTACK).retrieve(QUESTION)
    with pytest.raises(Blocked):
        postprocessor(guard).postprocess_nodes(nodes)


@every_query
def test_an_engine_judges_questions_and_answers(guard: Guard, query: Any) -> None:
    llm = scripted()
    engine = guard_engine(query_engine(llm, "fine"), guard)
    assert str(query(engine, QUESTION)) == ANSWER
    for attack in (ATTACK, schema.QueryBundle(ATTACK)):
        with pytest.raises(Blocked):
            query(engine, attack)
    assert len(llm.asked) == 1
    with pytest.raises(Blocked):
        query(guard_engine(query_engine(scripted(ATTACK), "fine"), guard), QUESTION)


def test_a_streamed_answer_of_an_engine_is_held_back(guard: Guard) -> None:
    engine = query_engine(scripted(ATTACK), "fine", streaming=True)
    answer = guard_engine(engine, guard).query(QUESTION)
    with pytest.raises(Blocked):
        list(answer.response_gen)
    benign = guard_engine(query_engine(scripted(), "fine", streaming=True), guard)
    assert str(benign.query(QUESTION)) == ANSWER


def test_an_asynchronous_stream_of_an_engine_is_held_back(guard: Guard) -> None:
    async def go(said: str) -> str:
        engine = guard_engine(query_engine(scripted(said), "fine", streaming=True), guard)
        answer = await engine.aquery(QUESTION)
        return "".join([each async for each in answer.response_gen])

    assert asyncio.run(go(ANSWER)) == ANSWER
    with pytest.raises(Blocked):
        asyncio.run(go(ATTACK))


def test_nobody_goes_around_the_query_of_an_engine(guard: Guard) -> None:
    llm = scripted()
    engine = guard_engine(query_engine(llm, "fine"), guard)
    nodes, asked = engine.retrieve(schema.QueryBundle(QUESTION)), schema.QueryBundle(ATTACK)
    with pytest.raises(GuardrailError, match="guard_llm"):
        engine.synthesize(asked, nodes)
    with pytest.raises(GuardrailError, match="guard_llm"):
        asyncio.run(engine.asynthesize(asked, nodes))
    assert llm.asked == []


def chat_engine(llm: Any) -> Any:
    memory = core.memory.ChatMemoryBuffer.from_defaults()  # the default opens a database
    return chat_engines.SimpleChatEngine.from_defaults(llm=llm, memory=memory)


def chat(engine: Any, *given: Any) -> Any:
    return engine.chat(*given)


def achat(engine: Any, *given: Any) -> Any:
    return asyncio.run(engine.achat(*given))


@pytest.mark.parametrize("chatting", [chat, achat])
def test_a_chat_engine_judges_both_sides(guard: Guard, chatting: Any) -> None:
    llm = scripted()
    engine = guard_engine(chat_engine(llm), guard)
    assert chatting(engine, QUESTION).response == ANSWER
    for given in ([ATTACK], [QUESTION, [Message(PAGE, role="tool")]]):
        with pytest.raises(Blocked):
            chatting(engine, *given)
    assert len(llm.asked) == 1
    spoiled = chat_engine(scripted(ATTACK))
    with pytest.raises(Blocked):
        chatting(guard_engine(spoiled, guard), QUESTION)


def test_a_guarded_chat_engine_does_not_stream(guard: Guard) -> None:
    engine = guard_engine(chat_engine(scripted()), guard)
    with pytest.raises(GuardrailError, match="guard_llm"):
        engine.stream_chat(QUESTION)


def test_what_is_no_engine_is_an_error(guard: Guard) -> None:
    with pytest.raises(InputError, match="object is"):
        guard_engine(object(), guard)
