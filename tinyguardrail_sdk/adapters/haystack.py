"""Haystack: guarded generators, and components for pipelines.

pip install "tinyguardrail-sdk[haystack]"

    pipeline.add_component("llm", guard_generator(OpenAIChatGenerator(), guard))
    agent = Agent(chat_generator=guard_generator(OpenAIChatGenerator(), guard), tools=[...])
    pipeline.add_component("documents", document_guard(guard))  # behind the retriever

A guarded generator judges its messages before the model is asked and the replies before they are
returned, and tells its streaming callback what was cleared. In a pipeline, `Blocked` is the
`__cause__` of a `PipelineRuntimeError`; with `route=True` the components of this module raise
nothing: what they block leaves by a socket of its own.
"""

from __future__ import annotations

from types import GenericAlias
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import require
from tinyguardrail_sdk.adapters._haystack_components import Judging, component
from tinyguardrail_sdk.adapters._haystack_generator import guarded
from tinyguardrail_sdk.adapters._items import sorted_out
from tinyguardrail_sdk.checker import Checker, as_source
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.verdict import Verdict


def guard_generator(generator: Any, guard: Checker, *, delay: Delay | None = None) -> Any:
    """Return a guarded copy of a generator; it cannot be saved with its pipeline.

    Args:
        generator: A component whose `run` takes `messages`, or a `prompt`, and gives `replies`.
        guard: Who judges.
        delay: How much of a stream is held back.

    Raises:
        ImportError: Haystack is not installed.
        InputError: It is no such component, or it is in a pipeline already.
        GuardrailError: Another guard is on it already.
    """
    known = isinstance(generator, require("haystack.core.component", "haystack").Component)
    if not known or not hasattr(generator.__haystack_output__, "replies"):
        raise InputError(f"{type(generator).__name__} is no generator of Haystack")
    if vars(generator).get("__haystack_added_to_pipeline__") is not None:
        raise InputError("it is in a pipeline already; guard it before you add it to one")
    return guarded(generator, guard, delay)


def document_guard(guard: Checker, *, route: bool = False) -> Any:
    """Return a component that judges `documents`, and passes on those that are cleared.

    Args:
        guard: Who judges.
        route: Let blocked documents leave by the socket `blocked`; by default `Blocked` is raised.

    Raises:
        ImportError: Haystack is not installed.
    """
    kind = GenericAlias(list, require("haystack", "haystack").Document)

    def texts(documents: list[Any]) -> list[str]:
        return [each.content or "" for each in documents]

    def passed(documents: list[Any], verdicts: list[Verdict]) -> dict[str, Any]:
        cleared, blocked = sorted_out(documents, verdicts, raising=not route)
        return {"documents": cleared, "blocked": blocked}

    judging = Judging(guard, Source.DOCUMENT, texts, passed)
    return component("DocumentGuard", judging, documents=kind, blocked=kind)


def text_guard(guard: Checker, *, source: Source | str = Source.USER, route: bool = False) -> Any:
    """Return a component that judges a `text`, a question say, and passes it on.

    Args:
        guard: Who judges.
        source: Where the text comes from.
        route: Let a blocked text leave by the socket `blocked`; by default `Blocked` is raised.

    Raises:
        ImportError: Haystack is not installed.
        InputError: There is no such source.
    """

    def passed(text: str, verdicts: list[Verdict]) -> dict[str, Any]:
        cleared, blocked = sorted_out([text], verdicts, raising=not route)
        return {"text": cleared[0]} if cleared else {"blocked": blocked[0]}

    judging = Judging(guard, as_source(source), lambda text: [text], passed)
    return component("TextGuard", judging, text=str, blocked=str)
