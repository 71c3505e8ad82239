"""How models of the OpenAI Agents SDK are read and judged."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import Method
from tinyguardrail_sdk.adapters._judging import ACall, Args, AsyncGenerating, Kwargs, Send
from tinyguardrail_sdk.adapters._openai_readers import ChatReader, ResponsesReader
from tinyguardrail_sdk.adapters._streams import plain


def _prepared(model: Any, method: Method, args: Args, kwargs: Kwargs) -> tuple[Any, Send]:
    """Prepare a call of a model, with what its settings put into the request besides."""
    given = dict(zip(("system_instructions", "input", "model_settings"), args, strict=False))
    given |= kwargs
    settings = given.get("model_settings")
    further = dict(getattr(settings, "extra_args", None) or {})
    bodies = (further.pop("extra_body", None), getattr(settings, "extra_body", None))
    given["further"] = [plain(each) for each in (further, *bodies) if each]
    return given, functools.partial(method, *args, **kwargs)


class ModelReader(ResponsesReader):
    """Reads what models of the SDK take and give: items and events of the Responses API."""

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        """Read the input, and what the settings put into the request."""
        yield from super().request(request)
        for body in request["further"]:
            yield from super().request(body)
            yield from ChatReader().request(body)

    def response(self, response: Any) -> Iterable[Any]:
        """Read the output."""
        return [plain(item) for item in response.output]

    def chunk(self, event: Any) -> Iterator[tuple[Hashable, str]]:
        """Read an event of a stream."""
        return super().chunk(plain(event))


JUDGING = (
    ("get_response", ACall(ModelReader, _prepared)),
    ("stream_response", AsyncGenerating(ModelReader, _prepared)),
)
