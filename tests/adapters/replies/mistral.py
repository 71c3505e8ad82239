"""What Mistral says on the wire: as OpenAI does, but tool calls come whole in a stream."""

from collections.abc import Iterator
from typing import Any

from tests.adapters.replies.openai import chat, chat_chunk, chat_events
from tests.adapters.wire import Reply


def _events(text: str, arguments: str | None) -> Iterator[str]:
    *said, stop, end = chat_events(text, None)
    yield from said
    if arguments is not None:
        calls: Any = chat(text, arguments)["choices"][0]["message"]["tool_calls"]
        yield chat_chunk({"tool_calls": [calls[0] | {"index": 0}]})
    yield from (stop, end)


REPLIES = {
    f"/mistral/v1/{family}/completions": Reply(chat, _events)
    for family in ("chat", "fim", "agents")
}
