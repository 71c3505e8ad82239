"""What OpenAI is asked, and who asks: what the tests of its client share."""

from dataclasses import replace
from typing import Any

from tests.adapters.conformance import (
    FILE_URL,
    FOUND,
    QUESTION,
    Dialect,
    Make,
    conversation,
    installed,
)
from tests.adapters.wire import Wire

openai = installed("openai", extra="openai")

CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
SEARCH = {
    "type": "file_search_call",
    "id": "fs_1",
    "status": "completed",
    "queries": ["opening hours"],
    "results": [{"file_id": "f", "filename": "hours.md", "text": FOUND}],
}
FILE = {"filename": "hours.md", "file_data": FILE_URL}
ATTACHED = {"role": "user", "content": [{"type": "file", "file": FILE}]}
ATTACHED_INPUT = {"role": "user", "content": [FILE | {"type": "input_file"}]}
INPUT_TEXT = {"type": "input_text", "text": FOUND}
CHAT = Dialect(
    ask=lambda text: {"model": "m", "messages": conversation(text)},
    hostile={
        "tool": {
            "model": "m",
            "messages": [
                *conversation(QUESTION),
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c", "content": FOUND},
            ],
        },
        "file": {
            "model": "m",
            "messages": conversation(QUESTION),
            "prediction": {"type": "content", "content": FOUND},
        },
        "attachment": {"model": "m", "messages": [*conversation(QUESTION), ATTACHED]},
        "documents": {
            "model": "m",
            "messages": conversation(QUESTION),
            "extra_body": {"documents": [{"title": "Hours", "text": FOUND}]},
        },
    },
)
RESPONSES = Dialect(
    ask=lambda text: {"model": "m", "input": conversation(text)},
    hostile={
        "tool": {
            "model": "m",
            "input": [
                *conversation(QUESTION),
                {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": FOUND},
            ],
        },
        "document": {"model": "m", "input": [*conversation(QUESTION), SEARCH]},
        "attachment": {"model": "m", "input": [*conversation(QUESTION), ATTACHED_INPUT]},
        "stored prompt": {
            "model": "m",
            "input": conversation(QUESTION),
            "extra_body": {"prompt": {"id": "p", "variables": {"page": INPUT_TEXT}}},
        },
    },
)
# Of a stream helper: older ones cannot accumulate reasoning.
KNOWN = hasattr(openai.types.responses, "ResponseReasoningSummaryTextDeltaEvent")
ACCUMULATED = replace(RESPONSES, reasons=KNOWN)


def make(kind: str, **more: Any) -> Make:
    def build(wire: Wire, retries: int) -> Any:
        url = f"{wire.url}/v1"
        return getattr(openai, kind)(api_key="none", base_url=url, max_retries=retries, **more)

    return build
