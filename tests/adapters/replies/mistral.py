"""What Mistral says on the wire: as OpenAI, but tool calls come whole, and reasoning as a part."""

from collections.abc import Iterator
from typing import Any

from tests.adapters.replies.openai import chat, chat_chunk, chat_events
from tests.adapters.wire import Reply, Said, pieces


def _thinking(reasoning: str) -> Any:
    return {"type": "thinking", "thinking": [{"type": "text", "text": reasoning}]}


def _chat(said: Said) -> Any:
    answer = chat(Said(said.text, said.arguments))
    if said.reasoning is not None:
        content = [_thinking(said.reasoning), {"type": "text", "text": said.text}]
        answer["choices"][0]["message"]["content"] = content
    return answer


def _events(said: Said) -> Iterator[str]:
    start, *text, stop, end = chat_events(Said(said.text))
    yield start
    for piece in pieces(said.reasoning or ""):
        yield chat_chunk({"content": [_thinking(piece)]})
    yield from text
    if said.arguments is not None:
        calls: Any = chat(said)["choices"][0]["message"]["tool_calls"]
        yield chat_chunk({"tool_calls": [calls[0] | {"index": 0}]})
    yield from (stop, end)


REPLIES = {
    f"/mistral/v1/{family}/completions": Reply(_chat, _events)
    for family in ("chat", "fim", "agents")
}
