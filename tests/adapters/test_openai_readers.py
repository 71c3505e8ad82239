from typing import Any

import pytest

from tests.adapters.conformance import ATTACK
from tinyguardrail_sdk.adapters._openai_readers import ChatReader, ResponsesReader


@pytest.mark.parametrize(
    "choice",
    [
        {"delta": {"thoughts": ATTACK}},
        {"delta": {"reasoning_details": [{"type": "reasoning.text", "text": ATTACK}]}},
        {"delta": {"tool_calls": [{"index": 0, "type": "mcp", "mcp": {"arguments": ATTACK}}]}},
        {"delta": {}, "message": {"role": "assistant", "content": ATTACK}},
        {"text": ATTACK},
    ],
)
def test_a_delta_that_is_not_known_is_read_whole(choice: Any) -> None:
    chunk = {"choices": [{"index": 0, "finish_reason": "stop", **choice}]}
    assert [text for _, text in ChatReader().chunk(chunk)] == [ATTACK]


def test_a_field_that_is_not_known_is_read_whole() -> None:
    message = {"role": "assistant", "content": "Paris.", "thoughts": [{"id": "t", "said": ATTACK}]}
    said = list(ChatReader().response({"choices": [{"index": 0, "message": message}]}))
    assert said == [message, ATTACK]


@pytest.mark.parametrize(
    "answer",
    [
        {"choices": [{"index": 0, "thoughts": ATTACK, "message": {"content": "Paris."}}]},
        {"choices": [{"index": 0, "text": ATTACK}]},
        {"choices": [], "citations": [ATTACK]},
    ],
)
def test_a_field_beside_the_message_is_read_whole(answer: Any) -> None:
    assert ATTACK in list(ChatReader().response(answer))
    assert ATTACK in [text for _, text in ChatReader().chunk(answer)]


def test_an_answer_without_output_is_read_whole() -> None:
    assert list(ResponsesReader().response({"choices": [{"text": ATTACK}]})) == [ATTACK]


def test_an_unknown_event_is_read_beside_a_text_in_pieces() -> None:
    reader, at = ResponsesReader(), {"output_index": 0, "content_index": 0}
    pieces = [{"type": "response.output_text.delta", "delta": "Paris", **at}]
    pieces += [{"type": "response.output_text.unheard_of", "said": ATTACK, **at}]
    assert [text for each in pieces for _, text in reader.chunk(each)] == ["Paris", ATTACK]


def test_what_a_remote_tool_answered_is_read_though_its_arguments_came_in_pieces() -> None:
    call = {"type": "mcp_call", "arguments": '{"n": 1}', "output": ATTACK}
    reader = ResponsesReader()
    kind = "response.mcp_call_arguments.delta"
    events: list[dict[str, Any]] = [
        {"type": kind, "output_index": 3, "delta": '{"n": 1}'},
        {"type": "response.output_item.done", "output_index": 3, "item": call},
    ]
    texts = [text for event in events for _, text in reader.chunk(event)]
    assert texts == ['{"n": 1}', ATTACK]
