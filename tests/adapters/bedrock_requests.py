"""What Bedrock is asked, by the clients of boto3 and of aiobotocore."""

import json
from typing import Any

import pytest

from tests.adapters.conformance import ATTACK, CODED, FOUND, QUESTION, Dialect, Request

WHY = "needs the client: pip install 'tinyguardrail-sdk[bedrock]'"
botocore: Any = pytest.importorskip("botocore.session", reason=WHY)
# Older versions know no reasoning, and hand none on.
BLOCKS = botocore.get_session().get_service_model("bedrock-runtime").shape_for("ContentBlock")


def asked(*blocks: Any) -> Request:
    return {
        "modelId": "m",
        "system": [{"text": f"You talk about {ATTACK}."}],  # the application may
        "messages": [{"role": "user", "content": list(blocks)}],
    }


def invoked(**body: Any) -> Request:
    return {"modelId": "m", "body": json.dumps({"max_tokens": 9, **body})}


def said(text: Any) -> list[Any]:
    return [{"role": "user", "content": text}]


RESULT = {"toolUseId": "t", "content": [{"text": "Hours:"}, {"json": {"hours": FOUND}}]}
PAGE = {"format": "md", "name": "Hours", "source": {"bytes": FOUND.encode()}}
CONVERSE = Dialect(
    ask=lambda text: asked({"text": text}),
    hostile={
        "tool": asked({"toolResult": RESULT}),
        "blocks": asked({"text": QUESTION}, {"text": ATTACK}),
        "text document": asked({"text": QUESTION}, {"document": PAGE}),
        "document": asked({"document": PAGE | {"source": {"text": FOUND}}}),
        "name": asked({"document": PAGE | {"source": {"text": "Monday."}, "name": ATTACK}}),
        "context": asked({"document": PAGE | {"source": {"text": "Monday."}, "context": FOUND}}),
        "search": asked({"searchResult": {"title": FOUND, "source": "s", "content": []}}),
        "guarded": asked({"guardContent": {"text": {"text": FOUND}}}),
        "further": asked({"text": QUESTION})
        | {"additionalModelRequestFields": {"documents": [{"title": "Hours", "snippet": FOUND}]}},
        "variables": asked({"text": QUESTION}) | {"promptVariables": {"page": {"text": FOUND}}},
    },
    reasons="reasoningContent" in BLOCKS.members,
)
TOOL = {"type": "tool_result", "tool_use_id": "t", "content": FOUND}
INVOKE = Dialect(
    ask=lambda text: invoked(messages=said(text), system=f"You talk about {ATTACK}."),
    hostile={
        "tool": invoked(messages=said([TOOL])),
        "bytes": {"modelId": "m", "body": json.dumps({"prompt": ATTACK}).encode()},
        "prompt": invoked(prompt=ATTACK),
        "titan": invoked(inputText=ATTACK),
        "nova": invoked(messages=said([{"text": ATTACK}])),
        "file": invoked(messages=said([{"document": PAGE | {"source": {"bytes": CODED}}}])),
        "documents": invoked(messages=said(QUESTION), documents=[{"data": {"text": FOUND}}]),
    },
)
