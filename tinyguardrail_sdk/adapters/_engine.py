"""A guard put on a client: documented methods, replaced on the one instance that was given.

An adapter is a `Plan`: whose clients it takes, which methods are guarded and how they are read,
which return context managers of streams, which make copies of the client, and which are refused
because nobody can read them yet. The originals are called on a twin of their resource, so that a
method of the client which calls another one is checked once.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar

from tinyguardrail_sdk.adapters._arguments import named
from tinyguardrail_sdk.adapters._frameworks import require
from tinyguardrail_sdk.adapters._handle import MARK, Handle, handle_on
from tinyguardrail_sdk.adapters._judging import MakeReader, once_asked
from tinyguardrail_sdk.adapters._nested import outermost
from tinyguardrail_sdk.adapters._paths import found, unknown
from tinyguardrail_sdk.adapters._signatures import spelled
from tinyguardrail_sdk.adapters._streams import Deferring, held
from tinyguardrail_sdk.adapters._twins import twin_of
from tinyguardrail_sdk.calls import guarded_acall, guarded_call
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.closing import AsyncClosingIterator
from tinyguardrail_sdk.errors import GuardrailError, InputError
from tinyguardrail_sdk.holdback import Delay

ClientT = TypeVar("ClientT")


@dataclass(frozen=True)
class Plan:
    """What an adapter does to a client; every path is dotted and starts at the client.

    Attributes:
        package: The module that has the classes of the clients.
        extra: The extra of this project that installs it.
        clients: Names of those classes; which of them there are depends on the version.
        calls: Methods that return an answer or a stream, each with what makes its reader: a new
            one for every call, for it may remember what it read of a stream.
        managers: Methods that return a context manager of a stream.
        copies: Methods that return another client, which is guarded likewise.
        runners: Methods whose results call the client by themselves, as long as they are used: they
            are given a copy, the first of `copies`, for it stays guarded.
        remade: What the client made of the methods, raw responses say: made anew, of guarded ones.
        refused: What would go past the guard; using it raises `GuardrailError`.
        allowed: What else may be used of the client and of the resources that have `calls`:
            everything else public is refused, of later versions, too. None: all but `refused`.
        awaited: Whether what the methods return is awaited, though no function of theirs says so.
        live: Whether the originals are taken from the client itself, which the package may be: of
            one whose state is replaced, a copy grows old, and of a module there is none.
        placed: For `live` methods that some version declares with `*args`, the names of these.
    """

    package: str
    extra: str
    clients: tuple[str, ...]
    calls: Mapping[str, MakeReader]
    managers: Mapping[str, MakeReader] = field(default_factory=dict)
    copies: tuple[str, ...] = ()
    runners: tuple[str, ...] = ()
    remade: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    allowed: tuple[str, ...] | None = None
    awaited: bool = False
    live: bool = False
    placed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def put_on(client: ClientT, guard: Checker, plan: Plan, delay: Delay | None) -> Handle[ClientT]:
    """Carry out a plan on a client; a second time with the same guard returns the first handle.

    Raises:
        ImportError: The client's package is not installed.
        InputError: The client is none of the plan's.
        GuardrailError: Another guard, or another delay, is on it already.
    """
    _refuse_strangers(client, plan)
    if (known := handle_on(client, guard, delay)) is not None:
        return known
    handle = Handle(client, guard, delay)
    try:
        _carry_out(handle, plan)
    except BaseException:  # half a guard would look like a whole one
        handle.undo()
        raise
    return handle


def _refuse_strangers(client: object, plan: Plan) -> None:
    package = require(plan.package, plan.extra)
    if plan.live and client is package:
        return
    if not isinstance(client, tuple(getattr(package, each, ()) for each in plan.clients)):
        known = [each for each in plan.clients if hasattr(package, each)]
        known += [plan.package] if plan.live else []
        name = type(client).__name__
        raise InputError(f"{name} is no client that is known; known are {', '.join(known)}")


def _carry_out(handle: Handle[Any], plan: Plan) -> None:
    refused = [*plan.refused, *_unknown(handle.client, plan)]
    # Looked at before anything is guarded, for clients keep what they made.
    remade = [
        (owner, name, type(getattr(owner, name)))
        for path in plan.remade
        for owner, name in found(handle.client, path)
    ]
    handle.put(handle.client, MARK, handle)
    for path, make_reader in {**plan.calls, **plan.managers}.items():
        for owner, name in found(handle.client, path):
            put = _managed if path in plan.managers else _guarding(owner, name, plan.awaited)
            judging = functools.partial(put, handle, make_reader=make_reader)
            if plan.live:
                original = spelled(getattr(owner, name), plan.placed.get(name, ()))
                handle.put(owner, name, outermost(handle.guard, original, judging))
                continue
            twin = twin_of(owner, functools.partial(handle.before, owner))
            handle.put(owner, name, judging(getattr(twin, name)))
    for name in plan.copies:
        for owner, own in found(handle.client, name):
            handle.put(owner, own, _copying(handle, getattr(owner, own), plan))
    for path in plan.runners:
        for owner, name in found(handle.client, path):
            handle.put(owner, name, _running(handle, path, plan))
    for path in refused:
        for owner, name in found(handle.client, path):
            handle.put(owner, name, _Refusal(path))
    for owner, name, kind in remade:
        handle.put(owner, name, kind(owner))


def _unknown(client: Any, plan: Plan) -> Iterator[str]:
    """Paths of what is public and not in the plan."""
    if plan.allowed is None:
        return iter(())
    known = (plan.calls, plan.managers, plan.copies, plan.runners, plan.remade, plan.refused)
    return unknown(client, {path for paths in (*known, plan.allowed) for path in paths})


def _guarding(owner: Any, name: str, awaited: bool) -> Any:
    """How a method is guarded, by the kind of the function that its class has, or itself."""
    function = inspect.unwrap(getattr(type(owner), name, None) or getattr(owner, name))
    if inspect.isasyncgenfunction(function):
        return _astreaming
    return _aguarded if awaited or inspect.iscoroutinefunction(function) else _guarded


def _guarded(handle: Handle[Any], original: Any, make_reader: MakeReader) -> Any:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = named(original, args, kwargs)
        reader = Deferring(make_reader())
        send = functools.partial(original, **given)
        answer = guarded_call(handle.guard, reader, given, send)
        return held(handle.guard, handle.delay, reader, answer)

    return call


def _aguarded(handle: Handle[Any], original: Any, make_reader: MakeReader) -> Any:
    @functools.wraps(original)
    async def call(*args: Any, **kwargs: Any) -> Any:
        given = named(original, args, kwargs)
        reader = Deferring(make_reader())

        async def send() -> Any:
            answer = await original(**given)
            await reader.receive(answer)
            return answer

        answer = await guarded_acall(handle.guard, reader, given, send)
        return held(handle.guard, handle.delay, reader, answer, awaited=True)

    return call


def _astreaming(handle: Handle[Any], original: Any, make_reader: MakeReader) -> Any:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> AsyncClosingIterator[Any]:
        given = named(original, args, kwargs)

        async def send() -> Any:
            return original(**given)

        def reader() -> Deferring:
            return Deferring(make_reader())

        return once_asked(handle.guard, handle.delay, reader, given, send)

    return call


def _managed(handle: Handle[Any], original: Any, make_reader: MakeReader) -> Any:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> _Manager:
        given = named(original, args, kwargs)
        send = functools.partial(original, **given)
        return _Manager(handle, make_reader, given, send)

    return call


def _copying(handle: Handle[Any], original: Any, plan: Plan) -> Any:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        return put_on(original(*args, **kwargs), handle.guard, plan, handle.delay).client

    return call


def _running(handle: Handle[Any], path: str, plan: Plan) -> Any:
    parent, _, name = path.rpartition(".")
    original = getattr(type(attrgetter(parent)(handle.client)), name)

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        copied = getattr(handle.client, plan.copies[0])()
        put_on(copied, handle.guard, plan, handle.delay)
        return original(attrgetter(parent)(copied), *args, **kwargs)

    return call


class _Manager:
    """Stands for a client's context manager of a stream: judges, enters it, holds its stream."""

    def __init__(
        self, handle: Handle[Any], make_reader: MakeReader, request: Any, send: Callable[[], Any]
    ) -> None:
        self._handle = handle
        self._make_reader = make_reader
        self._request = request
        self._send = send
        self._manager: Any = None

    def __enter__(self) -> Any:
        reader = Deferring(self._make_reader())  # it may be entered again, and asks again then
        stream = guarded_call(self._handle.guard, reader, self._request, self._enter)
        return held(self._handle.guard, self._handle.delay, reader, stream)

    def __exit__(self, *error: Any) -> Any:
        return self._manager.__exit__(*error)

    async def __aenter__(self) -> Any:
        reader = Deferring(self._make_reader())
        stream = await guarded_acall(self._handle.guard, reader, self._request, self._aenter)
        return held(self._handle.guard, self._handle.delay, reader, stream)

    async def __aexit__(self, *error: Any) -> Any:
        return await self._manager.__aexit__(*error)

    def _enter(self) -> Any:
        self._manager = self._send()
        return self._manager.__enter__()

    async def _aenter(self) -> Any:
        self._manager = self._send()
        return await self._manager.__aenter__()


class _Refusal:
    """Stands where something would go past the guard; calling it, or what it has, raises."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> _Refusal:
        if name.startswith("__"):  # Python itself asks, to copy or print it
            raise AttributeError(name)
        return _Refusal(f"{self._path}.{name}")  # clients look at methods that nobody calls

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise GuardrailError(
            f"client.{self._path} is not guarded yet, so a guarded client refuses it; use another "
            "method, or a client without a guard"
        )
