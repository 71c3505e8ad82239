"""Amazon Bedrock, through boto3's client of `bedrock-runtime`.

pip install "tinyguardrail-sdk[bedrock]"

    with wrap(boto3.client("bedrock-runtime"), guard) as client:
        client.converse(modelId=..., messages=[...])

Guarded are `converse`, `converse_stream`, and `invoke_model` where its body has messages or a
prompt: the formats of Anthropic, Amazon, Meta, Mistral, and of OpenAI. Refused are
`invoke_model_with_response_stream`, asynchronous and presigned calls, documents that are kept
elsewhere or are no text, and what a later version adds. Counting tokens and Amazon's own guardrails
are as they were. Other clients of boto3, agents among them, and those of aiobotocore are not known.
"""

from __future__ import annotations

import io
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from tinyguardrail_sdk.adapters._engine import Handle, Plan, put_on
from tinyguardrail_sdk.adapters._http import parsed
from tinyguardrail_sdk.adapters._streams import as_answer, listed
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.content import value_text
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay

ClientT = TypeVar("ClientT")

_SERVICE = "bedrock-runtime"
# What a request asked for of the model's own answer.
_FURTHER = "additionalModelResponseFields"
# Of a delta: the key of its text. None: the text itself.
_DELTAS = {"text": None, "toolUse": "input", "reasoningContent": "text", "toolResult": None}
# Pictures, and quotes of documents that were read before.
_NO_DELTAS = {"image", "citation"}


def wrap(client: ClientT, guard: Checker, *, delay: Delay | None = None) -> Handle[ClientT]:
    """Guard a client of Bedrock's runtime, and return what undoes it.

    Args:
        client: What `boto3.client("bedrock-runtime")` returned.
        guard: Who judges requests and answers; blocked ones raise `Blocked`.
        delay: How much of a stream is held back.

    Raises:
        ImportError: `boto3` is not installed.
        InputError: The client is of another service.
        GuardrailError: Another guard is on it already.
    """
    model = getattr(getattr(client, "meta", None), "service_model", None)
    service = getattr(model, "service_name", _SERVICE)
    if service != _SERVICE:
        raise InputError(f"a client of {service}; only one of {_SERVICE} can be guarded")
    return put_on(client, guard, _PLAN, delay)


class _Converse:
    """Reads conversations."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        yield from listed(request.get("messages"))
        if request.get("promptVariables"):
            yield "user", value_text(request["promptVariables"])

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        yield as_answer(response["output"]["message"])
        if response.get(_FURTHER):
            yield value_text(response[_FURTHER])

    def chunk(self, event: Mapping[str, Any]) -> Iterator[tuple[Hashable, str]]:
        block = event.get("contentBlockDelta") or {}
        for kind, value in (block.get("delta") or {}).items():
            if kind in _NO_DELTAS:
                continue
            if kind not in _DELTAS:
                raise InputError(f"unknown delta; known are {', '.join(_DELTAS)}. Use converse")
            inner = _DELTAS[kind]
            text = value if inner is None else value.get(inner, "")
            yield (block.get("contentBlockIndex"), kind), value_text(text)
        further = (event.get("messageStop") or {}).get(_FURTHER)
        if further:
            yield _FURTHER, value_text(further)


class _Invoke:
    """Reads the bodies of single models."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        body = _fields(request.get("body"))
        prompts = [body[key] for key in ("prompt", "inputText") if body.get(key)]
        if not prompts and not body.get("messages"):
            raise InputError("the body has no messages and no prompt; use converse")
        yield from listed(body.get("messages"))
        yield from prompts
        if body.get("documents"):
            yield "document", value_text(body["documents"])

    def response(self, response: Mapping[str, Any]) -> Iterable[Any]:
        stream = response["body"]
        read = stream.read()
        # It can be read once; from here on it reads the same again.
        stream.__init__(io.BytesIO(read), len(read))
        said = list(_said(_fields(read)))
        if not said:
            raise InputError("the answer of this model cannot be read; use converse")
        return said

    def chunk(self, chunk: Any) -> Iterator[tuple[Hashable, str]]:
        raise InputError("a stream of this model cannot be read; use converse_stream")


def _fields(body: Any) -> dict[str, Any]:
    try:
        fields = parsed(body) if isinstance(body, str | bytes | bytearray) else None
    except InputError as error:
        raise InputError(f"{error}; or use converse") from None
    if not isinstance(fields, dict):
        raise InputError("the body must be a JSON object, as text or bytes; or use converse")
    return fields


def _said(body: Mapping[str, Any]) -> Iterator[Any]:
    """What a model said, by vendor."""
    if "content" in body:  # Anthropic
        yield {"role": "assistant", "content": body["content"]}
    if isinstance(body.get("output"), Mapping):  # Amazon Nova
        yield as_answer(body["output"]["message"])
    for choice in body.get("choices") or ():  # OpenAI
        yield as_answer(choice["message"])
    for key in ("generation", "completion"):  # Meta, older Anthropic
        if key in body:
            yield body[key]
    for key, text in (("results", "outputText"), ("outputs", "text")):  # Amazon Titan, Mistral
        for each in body.get(key) or ():
            yield each[text]


_PLAN = Plan(
    package="botocore.client",
    extra="bedrock",
    clients=("BaseClient",),
    calls={"converse": _Converse, "converse_stream": _Converse, "invoke_model": _Invoke},
    allowed=(
        *("meta", "exceptions", "close", "can_paginate", "get_paginator", "get_waiter"),
        *("waiter_names", "count_tokens", "apply_guardrail", "invoke_guardrail_checks"),
        *("get_async_invoke", "list_async_invokes"),
    ),
)
