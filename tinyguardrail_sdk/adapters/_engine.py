"""A guard put on a client: documented methods, replaced on the one instance that was given.

An adapter is a `Plan`: which methods are guarded and how they are read, which return context
managers of streams, which make copies of the client, and which are refused because nobody can read
them yet. The originals are taken from a shallow copy of their resource, so that a method of the
client which calls another one is checked once.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from tinyguardrail_sdk.calls import Reader, guarded_acall, guarded_call
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.chunks import aheld_chunks, held_chunks
from tinyguardrail_sdk.errors import GuardrailError, InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.streaming import StreamGuard

ClientT = TypeVar("ClientT")
AnyReader: TypeAlias = Reader[Any, Any, Any]

_MARK = "__tinyguardrail_handle__"
_ABSENT = object()
# Arguments that may be iterators, which can be read once only: they are made lists.
_LISTED = ("messages", "input")


@dataclass(frozen=True)
class Plan:
    """What an adapter does to a client; every path is dotted and starts at the client.

    Attributes:
        calls: Methods that return an answer or a stream, each with what makes its reader: a new
            one for every call, for it may remember what it read of a stream.
        managers: Methods that return a context manager of a stream.
        copies: Methods that return another client, which is guarded likewise.
        refused: What would go past the guard; using it raises `GuardrailError`.
    """

    calls: Mapping[str, Callable[[], AnyReader]]
    managers: Mapping[str, Callable[[], AnyReader]]
    copies: tuple[str, ...]
    refused: tuple[str, ...]


@dataclass
class Handle(Generic[ClientT]):
    """A guarded client, and the way back; as a context manager it gives the client and undoes.

    Attributes:
        client: The client that was given, now guarded.
        guard: Who judges.
        delay: How much of a stream is held back.
    """

    client: ClientT
    guard: Checker
    delay: Delay | None
    _put: list[tuple[Any, str, Any]] = field(default_factory=list, repr=False)

    def undo(self) -> None:
        """Give the client its own methods back; a second time does nothing.

        Copies that the guarded client made stay guarded.
        """
        while self._put:
            owner, name, before = self._put.pop()
            if before is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

    def put(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute of an instance until `undo`."""
        self._put.append((owner, name, vars(owner).get(name, _ABSENT)))
        setattr(owner, name, value)

    def __enter__(self) -> ClientT:
        return self.client

    def __exit__(self, *_: object) -> None:
        self.undo()


def put_on(client: ClientT, guard: Checker, plan: Plan, delay: Delay | None) -> Handle[ClientT]:
    """Carry out a plan on a client; a second time with the same guard returns the first handle.

    Raises:
        GuardrailError: Another guard, or another delay, is on it already.
    """
    known: Handle[ClientT] | None = vars(client).get(_MARK)
    if known is not None:
        if known.guard is guard and known.delay == delay:
            return known
        raise GuardrailError("the client is guarded already in another way; undo() that one first")
    handle = Handle(client, guard, delay)
    try:
        _carry_out(handle, plan)
    except BaseException:  # half a guard would look like a whole one
        handle.undo()
        raise
    return handle


def plain(value: Any) -> Any:
    """Return a client's objects as mappings and lists, without warnings of their serialisers."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return value.model_dump(warnings=False)
    return value


def _carry_out(handle: Handle[Any], plan: Plan) -> None:
    handle.put(handle.client, _MARK, handle)
    asynchronous = inspect.iscoroutinefunction(handle.client.close)
    guarded = _aguarded if asynchronous else _guarded
    twins: dict[int, Any] = {}
    for path, make_reader in {**plan.calls, **plan.managers}.items():
        for owner, name in _found(handle.client, path):
            twin = twins.setdefault(id(owner), copy.copy(owner))
            put = _managed if path in plan.managers else guarded
            handle.put(owner, name, put(handle, getattr(twin, name), make_reader))
    for name in plan.copies:
        for owner, own in _found(handle.client, name):
            handle.put(owner, own, _copying(handle, getattr(owner, own), plan))
    for path in plan.refused:
        for owner, name in _found(handle.client, path):
            handle.put(owner, name, _Refusal(path))


def _found(client: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Yield the owner and the name of what is at a path: nothing where the version lacks it."""
    *parents, name = path.split(".")
    owner = client
    for parent in parents:
        owner = getattr(owner, parent, None)
    if hasattr(type(owner), name) or name in getattr(owner, "__dict__", ()):
        yield owner, name


def _guarded(handle: Handle[Any], original: Any, make_reader: Callable[[], AnyReader]) -> Any:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        kwargs = _listed(kwargs)
        reader = _Deferring(make_reader())
        send = functools.partial(original, *args, **kwargs)
        return _held(handle, reader, guarded_call(handle.guard, reader, kwargs, send))

    return call


def _aguarded(handle: Handle[Any], original: Any, make_reader: Callable[[], AnyReader]) -> Any:
    @functools.wraps(original)
    async def call(*args: Any, **kwargs: Any) -> Any:
        kwargs = _listed(kwargs)
        reader = _Deferring(make_reader())
        send = functools.partial(original, *args, **kwargs)
        return _held(handle, reader, await guarded_acall(handle.guard, reader, kwargs, send))

    return call


def _managed(handle: Handle[Any], original: Any, make_reader: Callable[[], AnyReader]) -> Any:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> _Manager:
        kwargs = _listed(kwargs)
        send = functools.partial(original, *args, **kwargs)
        return _Manager(handle, _Deferring(make_reader()), kwargs, send)

    return call


def _copying(handle: Handle[Any], original: Any, plan: Plan) -> Any:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        return put_on(original(*args, **kwargs), handle.guard, plan, handle.delay).client

    return call


class _Manager:
    """Stands for a client's context manager of a stream: judges, enters it, holds its stream."""

    def __init__(
        self, handle: Handle[Any], reader: _Deferring, request: Any, send: Callable[[], Any]
    ) -> None:
        self._handle = handle
        self._reader = reader
        self._request = request
        self._send = send
        self._manager: Any = None

    def __enter__(self) -> Any:
        stream = guarded_call(self._handle.guard, self._reader, self._request, self._enter)
        return _held(self._handle, self._reader, stream)

    def __exit__(self, *error: Any) -> Any:
        return self._manager.__exit__(*error)

    async def __aenter__(self) -> Any:
        stream = await guarded_acall(self._handle.guard, self._reader, self._request, self._aenter)
        return _held(self._handle, self._reader, stream)

    async def __aexit__(self, *error: Any) -> Any:
        return await self._manager.__aexit__(*error)

    def _enter(self) -> Any:
        self._manager = self._send()
        return self._manager.__enter__()

    async def _aenter(self) -> Any:
        self._manager = self._send()
        return await self._manager.__aenter__()


class _Deferring:
    """A reader to which a stream is an answer without text: its chunks are read later."""

    def __init__(self, reader: AnyReader) -> None:
        self._reader = reader

    def request(self, request: Mapping[str, Any]) -> Iterable[Any]:
        given = {key: value for key, value in request.items() if not _is_absent(value)}
        # The clients merge `extra_body` over the rest before they send it.
        return self._reader.request(plain(given | dict(given.get("extra_body") or {})))

    def response(self, response: Any) -> Iterable[Any]:
        if _stream_of(response) is not None:
            return []
        said = plain(response)
        if not isinstance(said, Mapping):
            raise InputError(
                f"{type(response).__name__} is an answer that cannot be read; ask for a plain one"
            )
        return self._reader.response(said)

    def chunk(self, chunk: Any) -> Iterable[tuple[Hashable, str]]:
        return self._reader.chunk(plain(chunk))


def _held(handle: Handle[Any], reader: _Deferring, answer: Any) -> Any:
    """Return an answer as it is; of a stream, the same object with its chunks held back."""
    stream = _stream_of(answer)
    if stream is not None:
        judge = StreamGuard(handle.guard, delay=handle.delay)
        hold: Any = aheld_chunks if hasattr(stream._iterator, "__anext__") else held_chunks
        stream._iterator = hold(judge, stream._iterator, reader.chunk)
    return answer


def _stream_of(answer: Any) -> Any:
    """What the chunks are taken from: an answer, what it wraps, or None where it is no stream."""
    stream = getattr(answer, "_raw_stream", answer)
    return stream if hasattr(stream, "_iterator") else None


def _is_absent(value: object) -> bool:
    return value is None or type(value).__name__ in ("Omit", "NotGiven")


def _listed(kwargs: dict[str, Any]) -> dict[str, Any]:
    once = [name for name in _LISTED if isinstance(kwargs.get(name), Iterator)]
    return kwargs | {name: list(kwargs[name]) for name in once}


class _Refusal:
    """Stands where something would go past the guard."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise self._error()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # Python itself asks, to copy or print it
            raise AttributeError(name)
        raise self._error()

    def _error(self) -> GuardrailError:
        return GuardrailError(
            f"client.{self._path} is not guarded yet, so a guarded client refuses it; use another "
            "method, or a client without a guard"
        )
