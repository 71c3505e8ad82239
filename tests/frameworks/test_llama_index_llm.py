import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.frameworks.llama_index_fakes import Message, Scripted, callbacks, scripted, types
from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, CheckFailed, Delay, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters._llama_index_messages import LLMReader
from tinyguardrail_sdk.adapters.llama_index import guard_llm
from tinyguardrail_sdk.testing import ScriptedClassifier

LONG = "The capital of France lies on the river Seine. " * 40
Response = types.ChatResponse


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
}
THINKING = [types.ThinkingBlock(content=ATTACK[:end]) for end in range(6, len(ATTACK) + 6, 6)]


@pytest.mark.parametrize("kind", GROWING)
@pytest.mark.parametrize("call", [CHATS["chat"], CHATS["stream_chat"]])
def test_an_attack_in_blocks_is_not_released(guard: Guard, call: Call, kind: str) -> None:
    out: list[Any] = []
    with pytest.raises(Blocked):
        call(guard_llm(Blocks(growing=GROWING[kind]), guard), [Message(QUESTION)], out)
    assert out == []


@pytest.mark.parametrize("call", [CHATS["chat"], CHATS["stream_chat"]])
def test_an_attack_in_the_reasoning_is_not_released(guard: Guard, call: Call) -> None:
    out: list[Any] = []
    with pytest.raises(Blocked):
        call(guard_llm(Blocks(growing=THINKING), guard), [Message(QUESTION)], out)
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
    document = types.DocumentBlock(url="http://127.0.0.1:9/a.txt", document_mimetype="text/plain")
    with pytest.raises(InputError, match="cannot be read"):
        guard_llm(scripted(), guard).chat([Message(blocks=[document])])
    with pytest.raises(InputError, match="object is"):
        guard_llm(object(), guard)


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


PIECES = ["no ", "no ", "no zebra", "-", "-"]
WHOLE = ["".join(PIECES[: end + 1]) for end in range(len(PIECES))]


@pytest.mark.parametrize("texts", [PIECES, WHOLE], ids=["pieces", "whole"])
@pytest.mark.parametrize("chat", [False, True])
def test_of_a_stream_only_what_is_new_is_read(texts: list[str], chat: bool) -> None:
    reader, read = LLMReader(), []
    for text, delta in zip(texts, PIECES, strict=True):
        answer = (
            types.ChatResponse(message=Message(content=text, role="assistant"), delta=delta)
            if chat
            else types.CompletionResponse(text=text, delta=delta)
        )
        read += [new for _, new in reader.chunk(answer)]
    assert read == PIECES
