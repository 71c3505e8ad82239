"""Components of Haystack that judge what runs through them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import require
from tinyguardrail_sdk.adapters._items import aeach_of, each_of
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.verdict import Verdict


@dataclass(frozen=True)
class Judging:
    """What a component does.

    Attributes:
        guard: Who judges.
        source: Where the texts come from.
        texts: Takes them from what the component is given.
        passed: Of what it was given and the verdicts, what leaves by which socket.
    """

    guard: Checker
    source: Source
    texts: Callable[[Any], list[str]]
    passed: Callable[[Any, list[Verdict]], dict[str, Any]]


def component(name: str, judging: Judging, **sockets: Any) -> Any:
    """Return a component with sockets of the types given; the first is also what it is given.

    Raises:
        ImportError: Haystack is not installed.
    """
    make = require("haystack", "haystack").component
    (taken, *_) = sockets

    def init(self: Any) -> None:
        make.set_input_types(self, **{taken: sockets[taken]})
        make.set_output_types(self, **sockets)

    def run(self: Any, **given: Any) -> dict[str, Any]:
        verdicts = each_of(judging.guard, judging.texts(given[taken]), judging.source)
        return judging.passed(given[taken], verdicts)

    async def run_async(self: Any, **given: Any) -> dict[str, Any]:
        verdicts = await aeach_of(judging.guard, judging.texts(given[taken]), judging.source)
        return judging.passed(given[taken], verdicts)

    methods = {"__init__": init, "run": run, "run_async": run_async, "__module__": __name__}
    return make(type(name, (), methods))()
