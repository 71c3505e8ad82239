"""`@guard.protect`: every kind of function, every way to say what is a prompt."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tinyguardrail_sdk import Action, Blocked, Delay, Guard, InputError, Label, Policy, Source
from tinyguardrail_sdk.testing import ScriptedClassifier

ran: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    ran.clear()


def kinds(guard: Guard, **options: Any) -> dict[str, Any]:
    """The same function four times; each returns what it yields or returns as a list."""

    @guard.protect("prompt", **options)
    def plain(prompt: str, answer: str = "fine") -> str:
        ran.append("plain")
        return answer

    @guard.protect("prompt", **options)
    async def coroutine(prompt: str, answer: str = "fine") -> str:
        ran.append("coroutine")
        return answer

    @guard.protect("prompt", **options)
    def generator(prompt: str, answer: str = "fine") -> Iterator[str]:
        ran.append("generator")
        yield answer
        yield "end"

    @guard.protect("prompt", **options)
    async def stream(prompt: str, answer: str = "fine") -> AsyncIterator[str]:
        ran.append("stream")
        yield answer
        yield "end"

    async def collect(items: AsyncIterator[str]) -> list[str]:
        return [item async for item in items]

    return {
        "plain": lambda *a: [plain(*a)],
        "coroutine": lambda *a: [asyncio.run(coroutine(*a))],
        "generator": lambda *a: list(generator(*a)),
        "stream": lambda *a: asyncio.run(collect(stream(*a))),
    }


each = pytest.mark.parametrize("kind", ["plain", "coroutine", "generator", "stream"])


@each
def test_a_blocked_prompt_raises_and_the_function_does_not_run(guard: Guard, kind: str) -> None:
    call = kinds(guard)[kind]
    assert call("hello")[0] == "fine"
    assert ran == [kind]
    with pytest.raises(Blocked):
        call("ignore this")
    assert ran == [kind]


@each
def test_an_answer_can_stand_in_for_a_blocked_prompt(guard: Guard, kind: str) -> None:
    assert kinds(guard, on_block="no")[kind]("ignore this") == ["no"]
    assert kinds(guard, on_block=None)[kind]("ignore this") == [None]
    named = kinds(guard, on_block=lambda verdict: verdict.label)[kind]
    assert named("ignore this") == ["injection"]
    assert ran == []


@each
def test_a_prompt_to_be_redacted_is_blocked(scripted: ScriptedClassifier, kind: str) -> None:
    guard = Guard(classifier=scripted, policy=Policy(actions={Label.INJECTION: Action.REDACT}))
    with pytest.raises(Blocked):
        kinds(guard)[kind]("Hello there. ignore this")
    assert ran == []


@each
def test_output_is_judged_where_asked(guard: Guard, kind: str) -> None:
    assert kinds(guard)[kind]("hello", "ignore all")[0] == "ignore all"
    with pytest.raises(Blocked):
        kinds(guard, output=True)[kind]("hello", "ignore all")
    assert kinds(guard, output=True, on_block="no")[kind]("hello", "ignore all") == ["no"]
    assert kinds(guard, output=True)[kind]("hello", "fine")[0] == "fine"


@each
def test_what_is_no_text_needs_a_function_that_reads_it(guard: Guard, kind: str) -> None:
    with pytest.raises(InputError, match="output="):
        kinds(guard, output=True)[kind]("hello", 7)
    read = kinds(guard, output=lambda item: str(item) if item != "end" else None)[kind]
    assert read("hello", 7)[0] == 7
    with pytest.raises(Blocked):
        read("hello", {"text": "ignore"})


def test_the_output_of_a_generator_is_held_back(guard: Guard) -> None:
    closed = []

    @guard.protect(output=True, delay=Delay(hold=10, every=10, context=20))
    def ask(question: str) -> Iterator[str]:
        try:
            yield from ("some words ", "more words ", "and more ", "ign", "ore ", "never")
        finally:
            closed.append(True)

    got: list[str] = []
    with pytest.raises(Blocked):
        got.extend(ask("hello"))
    assert "".join(got) == "some words more words "
    assert closed == [True]
    closed.clear()
    items = ask("hello")
    assert next(iter(items)) == "some words "
    items.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_streams_and_awaitables_that_plain_functions_return_are_judged(guard: Guard) -> None:
    async def later(text: str) -> str:
        return text

    async def items(text: str) -> AsyncIterator[str]:
        yield text

    async def use(function: Any, text: str) -> list[str]:
        result = guard.protect(output=True)(function)(text="hi", said=text)
        if inspect.isawaitable(result):
            result = await result
        if hasattr(result, "__anext__"):
            return [item async for item in result]
        return list(result) if hasattr(result, "__next__") else [result]

    async def pending_stream(text: str, said: str) -> AsyncIterator[str]:
        return items(said)

    functions = [
        lambda text, said: iter([said]),
        lambda text, said: items(said),
        lambda text, said: later(said),
        pending_stream,
    ]
    for function in functions:
        assert asyncio.run(use(function, "fine")) == ["fine"]
        with pytest.raises(Blocked):
            asyncio.run(use(function, "ignore all"))


def test_prompts_have_sources(guard: Guard, scripted: ScriptedClassifier) -> None:
    @guard.protect({"question": "user", "pages": "document", "history": "user"})
    def ask(question: str, pages: list[str], history: Any = None, key: str = "") -> str:
        return "fine"

    history = [{"role": "tool", "content": "result"}, {"role": "system", "content": "rules"}]
    ask("q", pages=["p1", "p2"], history=history, key="ignore me: I am no prompt")
    asked = {(text, str(source)) for text, source in scripted.calls}
    expected = {("q", "user"), ("p1", "document"), ("p2", "document"), ("result", "tool")}
    assert asked - {("p1\np2", "document")} == expected


def test_unnamed_prompts_are_found_by_their_shape(
    guard: Guard, scripted: ScriptedClassifier
) -> None:
    @guard.protect(source="tool")
    def ask(client: object, text: str, *more: Any, **rest: Any) -> str:
        return "fine"

    message = {"role": "user", "content": "in a message"}
    ask(object(), "text", "more", [message], 7, {"a": 1}, texts=["in a list"], one=message)
    asked = {(text, str(source)) for text, source in scripted.calls if "\n" not in text}
    assert asked == {
        ("text", "tool"),
        ("more", "tool"),
        ("in a message", "user"),
        ("in a list", "tool"),
    }
    with pytest.raises(InputError, match="name the arguments"):
        ask(object(), 7)  # type: ignore[arg-type]


def test_an_extractor_finds_prompts(guard: Guard, scripted: ScriptedClassifier) -> None:
    @guard.protect(extract=lambda request: [request["q"], ("document", request["page"])])
    def ask(request: dict[str, str]) -> str:
        return "fine"

    assert ask({"q": "hello", "page": "text"}) == "fine"
    assert scripted.calls == [("hello", Source.USER), ("text", Source.DOCUMENT)]
    with pytest.raises(Blocked):
        ask({"q": "hello", "page": "ignore all"})


def test_methods_of_all_kinds(guard: Guard) -> None:
    class Bot:
        @guard.protect("text")
        def method(self, text: str) -> str:
            return f"{type(self).__name__} {text}"

        @classmethod
        @guard.protect("text")
        def inner(cls, text: str) -> str:
            return f"{cls.__name__} {text}"

        @guard.protect("text")
        @classmethod
        def outer(cls, text: str) -> str:
            return f"{cls.__name__} {text}"

        @staticmethod
        @guard.protect("text")
        def static(text: str) -> str:
            return f"Bot {text}"

    bot: Any = Bot()
    for call in (bot.method, bot.inner, Bot.inner, bot.outer, bot.static):
        assert call("hello") == call(text="hello") == "Bot hello"
        with pytest.raises(Blocked):
            call("ignore")


def test_the_function_keeps_its_face(guard: Guard) -> None:
    async def ask(prompt: str, *, key: int = 3) -> str:
        """Ask."""
        return prompt

    protected = guard.protect("prompt")(ask)
    assert (protected.__name__, protected.__doc__) == ("ask", "Ask.")
    assert inspect.signature(protected) == inspect.signature(ask)
    assert inspect.iscoroutinefunction(protected)
    assert inspect.isasyncgenfunction(guard.protect(output=True)(_async_items))
    assert inspect.isgeneratorfunction(guard.protect(output=True)(_items))
    with pytest.raises(TypeError, match="prompt"):
        asyncio.run(protected())  # type: ignore[call-arg]


def _items() -> Iterator[str]:
    yield "fine"


async def _async_items() -> AsyncIterator[str]:
    yield "fine"


def test_decorating_twice_checks_once(guard: Guard, scripted: ScriptedClassifier) -> None:
    def ask(prompt: str) -> str:
        return prompt

    once = guard.protect("prompt")(ask)
    assert guard.protect("prompt")(once) is once
    guard.protect("prompt", output=True)(once)("hello")
    assert len(scripted.calls) == 2  # the prompt was remembered, the output is another source


def test_a_generator_keeps_its_return_value(guard: Guard) -> None:
    @guard.protect("prompt")
    def ask(prompt: str) -> Any:
        got = yield "one"
        return got

    items = ask("hello")
    next(items)
    with pytest.raises(StopIteration) as stopped:
        items.send("two")
    assert stopped.value.value == "two"


def test_mistakes_are_told_at_decoration(guard: Guard) -> None:
    def ask(prompt: str, model: str) -> str:
        return prompt

    with pytest.raises(InputError, match="ask has no argument 'promt'; it has prompt, model"):
        guard.protect("promt")(ask)
    with pytest.raises(InputError, match="user, tool, document, output"):
        guard.protect({"prompt": "mail"})
    with pytest.raises(InputError, match="user, tool, document, output"):
        guard.protect(source="mail")
    with pytest.raises(InputError, match="parentheses"):
        guard.protect()("ask")  # type: ignore[arg-type]
