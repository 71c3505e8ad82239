"""Amazon Bedrock, through the clients of `bedrock-runtime` of boto3 and aiobotocore.

pip install "tinyguardrail-sdk[bedrock]"

    with wrap(boto3.client("bedrock-runtime"), guard) as client:
        client.converse(modelId=..., messages=[...])

Guarded are `converse`, `converse_stream`, and `invoke_model`, also with a response stream, where
its body has messages or a prompt: the formats of Anthropic, Amazon, Meta, Mistral, and of OpenAI.
Refused are asynchronous and presigned calls, documents that are kept elsewhere or are no text, and
what a later version adds. Counting tokens and Amazon's own guardrails are as they were. Other
clients, agents among them, are not known.
"""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from tinyguardrail_sdk.adapters._bedrock_readers import AsyncInvoke, Converse, Invoke
from tinyguardrail_sdk.adapters._engine import Plan, put_on
from tinyguardrail_sdk.adapters._handle import Handle
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay

ClientT = TypeVar("ClientT")

_SERVICE = "bedrock-runtime"


def wrap(client: ClientT, guard: Checker, *, delay: Delay | None = None) -> Handle[ClientT]:
    """Guard a client of Bedrock's runtime, and return what undoes it.

    Args:
        client: What `boto3.client("bedrock-runtime")` returned, or what is entered of
            `get_session().create_client("bedrock-runtime")` of aiobotocore.
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
    is_async = any(kind.__module__ == _ASYNC_PLAN.package for kind in type(client).__mro__)
    return put_on(client, guard, _ASYNC_PLAN if is_async else _PLAN, delay)


_PLAN = Plan(
    package="botocore.client",
    extra="bedrock",
    clients=("BaseClient",),
    calls={
        "converse": Converse,
        "converse_stream": Converse,
        "invoke_model": Invoke,
        "invoke_model_with_response_stream": Invoke,
    },
    allowed=(
        *("meta", "exceptions", "close", "can_paginate", "get_paginator", "get_waiter"),
        *("waiter_names", "count_tokens", "apply_guardrail", "invoke_guardrail_checks"),
        *("get_async_invoke", "list_async_invokes"),
    ),
)
_ASYNC_PLAN = dataclasses.replace(
    _PLAN,
    package="aiobotocore.client",
    clients=("AioBaseClient",),
    calls={
        name: AsyncInvoke if reader is Invoke else reader for name, reader in _PLAN.calls.items()
    },
    awaited=True,
)
