import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, CheckFailed, Delay, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters._llama_index_messages import LLMReader
from tinyguardrail_sdk.adapters.llama_index import guard_engine, guard_llm, postprocessor
from tinyguardrail_sdk.testing import ScriptedClassifier

WHY = "pip install 'tinyguardrail-sdk[llama_index]'"
core: Any = pytest.importorskip("llama_index.core", reason=WHY)
llms: Any = pytest.importorskip("llama_index.core.llms", reason=WHY)
types: Any = pytest.importorskip("llama_index.core.base.llms.types", reason=WHY)
schema: Any = pytest.importorskip("llama_index.core.schema", reason=WHY)
callbacks: Any = pytest.importorskip("llama_index.core.llms.callbacks", reason=WHY)
chat_engines: Any = pytest.importorskip("llama_index.core.chat_engine", reason=WHY)
query_engines: Any = pytest.importorskip("llama_index.core.query_engine", reason=WHY)
retrievers: Any = pytest.importorskip("llama_index.core.retrievers", reason=WHY)

LONG = "The capital of France lies on the river Seine. " * 40
Message = llms.ChatMessage
Response = types.ChatResponse


class Scripted(llms.CustomLLM):  # type: ignore[misc]
    """Answers with one text, whole or in pieces that hold what was said so far, and counts."""

    said: str = ANSWER
    asked: list[Any] = []
    whole: bool = True

    @property
    def metadata(self) -> Any:
        return llms.LLMMetadata(is_chat_model=True)

    def _answer(self, asked: Any) -> str:
        self.asked.append(asked)
        if self.said == "broken":
            raise OSError("no connection")
        return self.said

    @callbacks.llm_completion_callback()  # type: ignore[untyped-decorator]
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        return types.CompletionResponse(text=self._answer(prompt))

    @callbacks.llm_completion_callback()  # type: ignore[untyped-decorator]
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        said = self._answer(prompt)

        def gen() -> Iterator[Any]:
            for at in range(0, len(said), 6):
                start = 0 if self.whole else at
                text = said[start : at + 6]
                yield types.CompletionResponse(text=text, delta=said[at : at + 6])

        return gen()


def scripted(said: str = ANSWER, **options: Any) -> Any:
    return Scripted(said=said, asked=[], **options)


async def _alist(stream: Any, out: list[Any]) -> Any:
    async for each in await stream:
        out.append(each)


def _into(out: list[Any], items: Any) -> None:
    out.extend(items)


Call = Callable[[Any, Any, list[Any]], Any]
CHATS: dict[str, Call] = {
    "chat": lambda llm, given, out: out.append(llm.chat(given)),
    "achat": lambda llm, given, out: out.append(asyncio.run(llm.achat(given))),
    "stream_chat": lambda llm, given, out: _into(out, llm.stream_chat(given)),
    "astream_chat": lambda llm, given, out: asyncio.run(_alist(llm.astream_chat(given), out)),
}
COMPLETIONS: dict[str, Call] = {
    "complete": lambda llm, given, out: out.append(llm.complete(given)),
    "acomplete": lambda llm, given, out: out.append(asyncio.run(llm.acomplete(prompt=given))),
    "stream_complete": lambda llm, given, out: _into(out, llm.stream_complete(given)),
    "astream_complete": lambda llm, given, out: asyncio.run(
        _alist(llm.astream_complete(given), out)
    ),
}
every_chat = pytest.mark.parametrize("call", CHATS.values(), ids=CHATS)
every_completion = pytest.mark.parametrize("call", COMPLETIONS.values(), ids=COMPLETIONS)


@every_chat
def test_benign_chats_are_as_without_a_guard(guard: Guard, call: Call) -> None:
    plain: list[Any] = []
    kept: list[Any] = []
    asked = [Message(ATTACK, role="system"), Message(QUESTION)]
    call(scripted(), asked, plain)
    llm = guard_llm(scripted(), guard)
    call(llm, asked, kept)
    assert isinstance(llm, Scripted)
    assert kept == plain


@every_completion
def test_benign_completions_are_as_without_a_guard(guard: Guard, call: Call) -> None:
    plain: list[Any] = []
    kept: list[Any] = []
    call(scripted(), QUESTION, plain)
    call(guard_llm(scripted(), guard), QUESTION, kept)
    assert kept == plain


DOCUMENT = types.DocumentBlock(data=PAGE.encode(), document_mimetype="text/plain")
CITABLE = types.CitableBlock(title="a", source="b", content=[types.TextBlock(text=PAGE)])
CALL = types.ToolCallBlock(tool_name="look", tool_kwargs={"city": ATTACK})
ATTACKS = [
    Message(ATTACK),
    Message(PAGE, role="tool"),
    Message(blocks=[types.TextBlock(text="fine"), DOCUMENT]),
    Message(
        blocks=[types.CitableBlock(title="a", source="b", content=[types.TextBlock(text=PAGE)])]
    ),
    Message(blocks=[CALL], role="assistant"),
    Message(blocks=[types.ThinkingBlock(content=ATTACK)], role="assistant"),
    Message(
        role="assistant",
        additional_kwargs={"tool_calls": [{"function": {"name": "f", "arguments": ATTACK}}]},
    ),
]


@every_chat
@pytest.mark.parametrize("message", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_in_a_message_is_not_sent(guard: Guard, call: Call, message: Any) -> None:
    llm = scripted()
    with pytest.raises(Blocked):
        call(guard_llm(llm, guard), [Message(QUESTION), message], [])
    assert llm.asked == []


@every_completion
def test_an_attack_in_a_prompt_is_not_sent(guard: Guard, call: Call) -> None:
    llm = scripted()
    with pytest.raises(Blocked):
        call(guard_llm(llm, guard), f"Context: {PAGE}", [])
    assert llm.asked == []


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("call", "given"),
    [
        *((each, [Message(QUESTION)]) for each in CHATS.values()),
        *((each, QUESTION) for each in COMPLETIONS.values()),
    ],
)
def test_an_attack_in_the_answer_is_not_released(
    guard: Guard, call: Call, given: Any, whole: bool
) -> None:
    out: list[Any] = []
    with pytest.raises(Blocked):
        call(guard_llm(scripted(f"{ATTACK} and more", whole=whole), guard), given, out)
    assert out == []


@pytest.mark.parametrize(
    ("call", "given"),
    [
        (CHATS["stream_chat"], [Message(QUESTION)]),
        (CHATS["astream_chat"], [Message(QUESTION)]),
        (COMPLETIONS["stream_complete"], QUESTION),
        (COMPLETIONS["astream_complete"], QUESTION),
    ],
)
def test_a_long_stream_flows_until_the_attack(guard: Guard, call: Call, given: Any) -> None:
    out: list[Any] = []
    llm = guard_llm(scripted(LONG + ATTACK), guard, delay=Delay(hold=60, every=40))
    with pytest.raises(Blocked):
        call(llm, given, out)
    said = "".join(each.delta for each in out)
    assert len(LONG) - 120 < len(said) <= len(LONG)
    assert "zebra" not in str(out[-1])


class Blocks(Scripted):
    """Answers with blocks, growing while they are streamed."""

    growing: list[Any] = []

    @callbacks.llm_chat_callback()  # type: ignore[untyped-decorator]
    def chat(self, messages: Any, **kwargs: Any) -> Any:
        return Response(message=Message(blocks=[self.growing[-1]], role="assistant"))

    @callbacks.llm_chat_callback()  # type: ignore[untyped-decorator]
    def stream_chat(self, messages: Any, **kwargs: Any) -> Any:
        def gen() -> Iterator[Any]:
            for each in self.growing:
                yield Response(message=Message(blocks=[each], role="assistant"), delta="")

        return gen()


GROWING = {
    "calls": [
        types.ToolCallBlock(tool_name="look", tool_kwargs=ATTACK[:end])
        for end in range(6, len(ATTACK) + 6, 6)
    ],
    "thinking": [types.ThinkingBlock(content=ATTACK[:end]) for end in range(6, len(ATTACK) + 6, 6)],
}


@pytest.mark.parametrize("kind", GROWING)
@pytest.mark.parametrize("call", [CHATS["chat"], CHATS["stream_chat"]])
def test_an_attack_in_blocks_is_not_released(guard: Guard, call: Call, kind: str) -> None:
    out: list[Any] = []
    with pytest.raises(Blocked):
        call(guard_llm(Blocks(growing=GROWING[kind]), guard), [Message(QUESTION)], out)
    assert out == []


class Calling(Scripted):
    """Answers a prompt with a tool call beside the text."""

    @callbacks.llm_completion_callback()  # type: ignore[untyped-decorator]
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        call = {"function": {"name": "look", "arguments": ATTACK}}
        return types.CompletionResponse(text="fine", additional_kwargs={"tool_calls": [call]})


def test_an_attack_in_a_tool_call_beside_a_completion_is_not_released(guard: Guard) -> None:
    with pytest.raises(Blocked):
        guard_llm(Calling(), guard).complete(QUESTION)


@pytest.mark.parametrize(("asked", "error"), [("explode", CheckFailed), (QUESTION, OSError)])
@every_chat
def test_errors_pass_through(guard: Guard, call: Call, asked: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        call(guard_llm(scripted("broken"), guard), [Message(asked)], [])


def test_what_cannot_be_read_is_an_error(guard: Guard) -> None:
    document = types.DocumentBlock(data=b"PDF", document_mimetype="application/pdf")
    with pytest.raises(InputError, match="cannot be read"):
        guard_llm(scripted(), guard).chat([Message(blocks=[document])])
    for wrong in (guard_llm, guard_engine):
        with pytest.raises(InputError, match="object is"):
            wrong(object(), guard)


def test_concurrent_calls_do_not_mix(guard: Guard) -> None:
    llm = guard_llm(scripted(), guard)

    async def one(text: str) -> str:
        try:
            return "".join([each.delta async for each in await llm.astream_complete(text)])
        except Blocked:
            return "blocked"

    async def go() -> list[str]:
        return await asyncio.gather(*map(one, [QUESTION, ATTACK] * 6))

    assert asyncio.run(go()) == [ANSWER, "blocked"] * 6


def test_an_llm_is_guarded_once(guard: Guard) -> None:
    llm = guard_llm(scripted(), guard)
    assert guard_llm(llm, guard) is llm
    with pytest.raises(GuardrailError, match="another way"):
        guard_llm(llm, Guard(classifier=ScriptedClassifier()))


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


PIECES = ["no ", "no ", "no zebra", "-", "-"]
WHOLE = ["".join(PIECES[: end + 1]) for end in range(len(PIECES))]


@pytest.mark.parametrize("texts", [PIECES, WHOLE], ids=["pieces", "whole"])
@pytest.mark.parametrize("chat", [False, True])
def test_of_a_stream_only_what_is_new_is_read(texts: list[str], chat: bool) -> None:
    reader, read = LLMReader(), []
    for text, delta in zip(texts, PIECES, strict=True):
        answer = (
            Response(message=Message(content=text, role="assistant"), delta=delta)
            if chat
            else types.CompletionResponse(text=text, delta=delta)
        )
        read += [new for _, new in reader.chunk(answer)]
    assert read == PIECES
