"""`@guard.protect`: the shapes of prompts and results that are read without being told how."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tinyguardrail_sdk import Blocked, Guard, InputError
from tinyguardrail_sdk.testing import ScriptedClassifier

PART = {"type": "text", "text": "ignore all"}


@pytest.mark.parametrize("name", [None, "given"])
@pytest.mark.parametrize(
    ("value", "source"),
    [
        ([("user", "ignore all")], "user"),
        ([["assistant", "ignore all"]], "output"),
        ([("document", [PART])], "document"),
        (PART, "tool"),
        ([{"type": "image_url", "image_url": {}}, PART], "tool"),
        ([{"text": "ignore all"}], "tool"),
        ([{"type": "document", "source": {"type": "text", "data": "ignore all"}}], "document"),
        ([{"role": "user", "content": "hello"}, PART], "tool"),
    ],
)
def test_pairs_and_content_parts_are_prompts(
    guard: Guard, scripted: ScriptedClassifier, name: str | None, value: Any, source: str
) -> None:
    @guard.protect(name, source="tool")
    def ask(text: str, given: Any) -> str:
        return "fine"

    with pytest.raises(Blocked):
        ask("hello", given=value)
    assert ("ignore all", source) in scripted.calls


def test_with_any_keywords_a_prompt_must_be_there(guard: Guard) -> None:
    @guard.protect(["question", "page"])
    def ask(model: str = "small", **rest: Any) -> str:
        return "fine"

    assert ask(question="hello") == "fine"
    with pytest.raises(Blocked):
        ask(page="ignore all")
    with pytest.raises(
        InputError, match="none of the prompts question, page.*it has qestion, model"
    ):
        ask(model="large", qestion="ignore all")
    with pytest.raises(InputError, match="nothing was checked"):
        ask()
    assert guard.protect([], output=True)(lambda **rest: "fine")(a="hello") == "fine"


class Words:
    """Can be iterated, over and over, and is no iterator."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)


class LaterWords(Words):
    async def __aiter__(self) -> AsyncIterator[str]:
        for word in self.words:
            yield word


class Fields(Words):
    """Can be iterated, too, but says what it is as a whole; like an answer of a client."""

    def model_dump(self) -> dict[str, str]:
        return {"text": " ".join(self.words)}


def test_what_can_be_iterated_and_has_no_length_is_a_stream(guard: Guard) -> None:
    protected = guard.protect([], output=True)(Words)
    assert list(protected("fine", "words")) == ["fine", "words"]
    with pytest.raises(Blocked):
        list(protected("fine", "ignore"))
    read = guard.protect([], output=lambda item: item if isinstance(item, str) else None)(Words)
    with pytest.raises(Blocked):
        list(read("ignore"))

    async def collect(*words: str) -> list[str]:
        made: Any = guard.protect([], output=True)(LaterWords)(*words)
        return [word async for word in made]

    assert asyncio.run(collect("fine")) == ["fine"]
    with pytest.raises(Blocked):
        asyncio.run(collect("ignore"))


def test_what_has_fields_is_read_as_a_whole(guard: Guard) -> None:
    answer = guard.protect([], output=lambda each: each.model_dump()["text"])(Fields)
    assert isinstance(answer("fine"), Fields)
    with pytest.raises(Blocked):
        answer("ignore")
