"""What is judged of a route of an ASGI application, which paths it has, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tinyguardrail_sdk.adapters._asgi_wire import Message, pattern_of
from tinyguardrail_sdk.adapters._frameworks import arefuse
from tinyguardrail_sdk.adapters._http import MESSAGES, parsed, reason_of, request_messages
from tinyguardrail_sdk.checker import Checker, as_source
from tinyguardrail_sdk.errors import Blocked, InputError


@dataclass(frozen=True)
class Route:
    """What is judged of one route.

    Attributes:
        request: Fields of the JSON body, each with the source of its text, or with `"messages"`
            where it holds chat messages; those of a system or developer count as a user's, for
            whoever sends the body wrote them. `"page.text"` is the text in `page`, or in each item
            of it where it is a list; `"."` is the body. A field that is not there has no text.
        answer: Fields of the JSON answer, or of each event of a stream, likewise; `"."` is the
            whole text. None of them: the answer is not judged.

    Raises:
        InputError: There is no such source, or a list was forgotten.
    """

    request: Mapping[str, str] = field(default_factory=dict)
    answer: Sequence[str] = ()

    def __post_init__(self) -> None:
        if isinstance(self.request, str) or isinstance(self.answer, str):
            raise InputError("request is a mapping of fields to sources, answer a list of fields")
        for source in self.request.values():
            if source != MESSAGES:
                as_source(source)


class Routes:
    """The routes that are judged, by path."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = [(pattern_of(path), route) for path, route in routes.items()]

    def of(self, scope: Message) -> Route | None:
        """Return the one that a connection is to, or None."""
        if scope["type"] != "http":
            return None
        # Servers differ in whether the path has the root before it.
        path = scope["path"]
        paths = {path, path.removeprefix(scope.get("root_path", ""))}
        matching = (r for pattern, r in self._routes if any(map(pattern.fullmatch, paths)))
        return next(matching, None)


async def refusal(
    guard: Checker, body: bytes, fields: Mapping[str, str], max_body: int
) -> tuple[int, str] | None:
    """Judge a body; return the status and the reason of a refusal, or None where it may go on."""
    if len(body) > max_body:
        return 413, f"the body has more than {max_body} bytes"
    try:
        if body:
            await arefuse(guard, request_messages(parsed(body), fields))
    except Blocked as error:
        return 403, reason_of(error)
    except InputError as error:
        return 400, str(error)
    return None
