"""The proxy of LiteLLM: a guardrail for its configuration.

pip install "tinyguardrail-sdk[litellm-proxy]"

Beside the configuration stands a file, `guard.py` say:

    Guardrail = guardrail(Guard())

and in the configuration:

    guardrails:
      - guardrail_name: tinyguardrail
        litellm_params: {guardrail: guard.Guardrail, mode: [pre_call, post_call], default_on: true}

Requests are judged before they are sent on (`pre_call`), answers before they are returned, and
streams are held back (`post_call`), on the routes of chat and text completions, responses and
Anthropic's messages. What is blocked, and what cannot be read, is a 400; requests of other routes
that have a model say something are refused. `during_call` would judge a request that has gone
already, so the proxy does not start with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import arefuse, require
from tinyguardrail_sdk.adapters._http import reason_of, whole_events
from tinyguardrail_sdk.adapters._litellm_routes import FIELDS, RouteReader, is_read, is_silent
from tinyguardrail_sdk.adapters._streams import Deferring
from tinyguardrail_sdk.calls import owned
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.chunks import aheld_chunks
from tinyguardrail_sdk.errors import Blocked, InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.streaming import StreamGuard

_EXTRA = "litellm-proxy"
_EVENTS = ("pre_call", "post_call", "pre_mcp_call")


def guardrail(guard: Checker, *, delay: Delay | None = None) -> Any:
    """Return a class of guardrails, of which the proxy makes what its configuration asks for.

    Args:
        guard: Who judges.
        delay: How much of a stream is held back.

    Raises:
        ImportError: LiteLLM is not installed, or not with what its proxy needs.
    """
    base = require("litellm.integrations.custom_guardrail", _EXTRA).CustomGuardrail
    refused = require("fastapi", _EXTRA).HTTPException
    hook = require("litellm.types.guardrails", _EXTRA).GuardrailEventHooks
    supported = [hook(each) for each in _EVENTS if each in {known.value for known in hook}]

    def init(self: Any, **options: Any) -> None:
        base.__init__(self, **{**options, "supported_event_hooks": supported})

    space = {"__init__": init, "_guard": guard, "_delay": delay, "_refused": refused}
    return type("Guardrail", (_Hooks, base), space)


class _Hooks:
    """The hooks of the guardrail; the proxy asks before each whether it is to run."""

    _guard: Checker
    _delay: Delay | None
    _refused: Any

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, hook in vars(_Hooks).items():
            if name.startswith("async_") and name not in vars(cls):
                setattr(cls, name, hook)  # the proxy passes over some that are only inherited

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: Any, call_type: str
    ) -> Any:
        with self._as_http():
            if is_read(call_type):
                given = {name: data[name] for name in FIELDS if name in data}
                asked = Deferring(RouteReader()).request(given)
                await arefuse(self._guard, owned(asked, Source.USER))
        return data

    async def async_post_call_success_hook(
        self, data: Any, user_api_key_dict: Any, response: Any
    ) -> Any:
        with self._as_http():
            if not is_silent(response):
                said = Deferring(RouteReader()).response(response)
                await arefuse(self._guard, owned(said, Source.OUTPUT))
        return response

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: Any
    ) -> AsyncIterator[Any]:
        stream, reader = StreamGuard(self._guard, delay=self._delay), RouteReader()
        # Of what is raised here the proxy makes an event, but of an error of HTTP, nothing at all.
        async with aheld_chunks(stream, whole_events(response), reader.chunk) as held:
            async for item in held:
                yield item

    @contextmanager
    def _as_http(self) -> Iterator[None]:
        try:
            yield
        except Blocked as error:
            raise self._refused(status_code=400, detail={"error": reason_of(error)}) from error
        except InputError as error:
            raise self._refused(status_code=400, detail={"error": str(error)}) from error
