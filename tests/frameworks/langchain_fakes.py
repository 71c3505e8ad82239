"""Models, tools and ways to call that the tests of LangChain share."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.frameworks.texts import ATTACK, PAGE

WHY = "pip install 'tinyguardrail-sdk[langchain]'"
models: Any = pytest.importorskip("langchain_core.language_models", reason=WHY)
messages: Any = pytest.importorskip("langchain_core.messages", reason=WHY)
chat_models: Any = pytest.importorskip("langchain_core.language_models.chat_models", reason=WHY)
outputs: Any = pytest.importorskip("langchain_core.outputs", reason=WHY)

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


class Broken(Model):
    """Has no connection."""

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        raise OSError("no connection")


def look(city: str) -> str:
    """Look something up."""
    return {"Paris": "It is in France."}.get(city, PAGE)


async def _gather(stream: Any) -> list[Any]:
    return [each async for each in stream]


def invoke(each: Any, given: Any, config: Any = None) -> Any:
    return each.invoke(given, config)


def ainvoke(each: Any, given: Any, config: Any = None) -> Any:
    return asyncio.run(each.ainvoke(given, config))


def stream(each: Any, given: Any, config: Any = None) -> Any:
    return list(each.stream(given, config))


def astream(each: Any, given: Any, config: Any = None) -> Any:
    return asyncio.run(_gather(each.astream(given, config)))


every_way = pytest.mark.parametrize("call", [invoke, ainvoke, stream, astream])


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
    "function call": [
        Chunk("", additional_kwargs={"function_call": {"arguments": each}})
        for each in pieces(ATTACK)
    ],
    "calls": [
        Chunk("", tool_call_chunks=[{"name": None, "args": each, "id": None, "index": 0}])
        for each in pieces(f'{{"city": "{ATTACK}"}}')
    ],
}
THOUGHTS = {
    "reasoning": [
        Chunk([{"type": "reasoning", "reasoning": each, "index": 0}]) for each in pieces(ATTACK)
    ],
    "summary": [
        Chunk([{"type": "reasoning", "index": 0, "summary": [summary(each)]}])
        for each in pieces(ATTACK)
    ],
    "thinking": [
        Chunk([{"type": "thinking", "thinking": each, "index": 0}]) for each in pieces(ATTACK)
    ],
    "beside": [Chunk("", additional_kwargs={"reasoning_content": each}) for each in pieces(ATTACK)],
}
