"""`@guard.protect(...)`: a function whose prompts, and answers, are judged around every call.

Where the policy says `redact`, the call is stopped: a prompt may be one of several parts of an
argument, and nobody here knows how to write a redacted one back.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Collection,
    Generator,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    Sized,
)
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

from tinyguardrail_sdk.calls import owned
from tinyguardrail_sdk.checker import Checker, answer_to, as_source, first_stop
from tinyguardrail_sdk.chunks import aheld_chunks, held_chunks
from tinyguardrail_sdk.content import as_mapping, is_part
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.holdback import Delay
from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.messages import is_pair, looks_like_message
from tinyguardrail_sdk.streaming import StreamGuard
from tinyguardrail_sdk.verdict import Verdict

P = ParamSpec("P")
R = TypeVar("R")

Prompts = str | Sequence[str] | Mapping[str, Source | str]
ReadText = Callable[[Any], str | None]

_MARK = "__tinyguardrail_plan__"


@dataclass(frozen=True)
class Plan:
    """What is judged of a call, and what happens to blocked ones; see `Guard.protect`."""

    guard: Checker
    prompts: Mapping[str, Source] | None
    source: Source
    extract: Callable[..., Any] | None
    output: bool | ReadText
    delay: Delay | None
    on_block: Any

    def requested(self, signature: inspect.Signature, args: Any, kwargs: Any) -> list[Any]:
        """Return the prompts of one call as messages."""
        if self.extract is not None:
            return owned(self.extract(*args, **kwargs), self.source)
        bound = signature.bind(*args, **kwargs)
        if self.prompts is not None:
            given = _by_name(bound)
            _refuse_absent_names(self.prompts, given, signature)
            named = self.prompts.items()
            return [m for name, own in named for m in _messages(given.get(name), own, name)]
        found = [
            message
            for value in _values(bound)
            if _is_prompt(value)
            for message in _messages(value, self.source, "an argument")
        ]
        if not found and not self.output:
            raise InputError(
                "no argument of the call is a text or a list of messages; name the arguments that "
                "are prompts, or pass extract="
            )
        return found

    def answered(self, value: Any) -> list[Any]:
        """Return what a function returned as messages of the model."""
        if callable(self.output):
            value = self.output(value)
        return _messages(value, Source.OUTPUT, "the result")

    def delta(self, item: Any) -> Iterable[tuple[Hashable, str]]:
        """Return the text of one item that a generator yielded."""
        text = self.output(item) if callable(self.output) else item
        if text is not None and not isinstance(text, str):
            raise InputError(
                f"{type(item).__name__} was yielded, which is no text; pass output=a function that "
                "returns its text"
            )
        return [("text", text)] if text else []

    def stream(self) -> StreamGuard:
        """Return what holds back one stream of output."""
        return StreamGuard(self.guard, delay=self.delay)


def protect(plan: Plan) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return the decorator that carries out a plan."""
    return functools.partial(_protected, plan)


def make_prompts(prompts: Prompts | None, source: Source | str) -> dict[str, Source] | None:
    """Return the named arguments with their sources; None where none are named."""
    if prompts is None:
        return None
    if callable(prompts):
        raise InputError("write @guard.protect() with parentheses")
    if isinstance(prompts, Mapping):
        return {name: as_source(own) for name, own in prompts.items()}
    return dict.fromkeys([prompts] if isinstance(prompts, str) else prompts, as_source(source))


def _protected(plan: Plan, function: Callable[P, R]) -> Callable[P, R]:
    if isinstance(function, classmethod | staticmethod):
        inner = _protected(plan, function.__func__)
        return cast("Callable[P, R]", type(function)(inner))
    if not callable(function):
        raise InputError("protect() decorates functions; write @guard.protect() with parentheses")
    # With the function it was set on: functools.wraps copies the mark to others.
    if getattr(function, _MARK, None) == (plan, function):
        return function
    signature = inspect.signature(function)
    _refuse_unknown_names(plan, signature, getattr(function, "__name__", "the function"))
    wrapper = _wrapper(plan, signature, function)
    setattr(wrapper, _MARK, (plan, wrapper))
    return cast("Callable[P, R]", wrapper)


def _wrapper(plan: Plan, signature: inspect.Signature, function: Any) -> Any:
    if inspect.isasyncgenfunction(function):
        return _async_generator(plan, signature, function)
    if inspect.isgeneratorfunction(function):
        return _generator(plan, signature, function)
    if inspect.iscoroutinefunction(function):
        return _coroutine(plan, signature, function)
    return _plain(plan, signature, function)


def _plain(plan: Plan, signature: inspect.Signature, function: Any) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        requested = plan.requested(signature, args, kwargs)
        stop = first_stop(plan.guard.check_messages(requested))
        if stop is not None:
            return answer_to(stop, plan.on_block)
        result = function(*args, **kwargs)
        if not plan.output:
            return result
        if inspect.isawaitable(result):
            return _awaited(plan, result)
        if _is_stream(result):
            return _held(plan, result)
        stop = first_stop(plan.guard.check_messages(plan.answered(result)))
        return result if stop is None else answer_to(stop, plan.on_block)

    return call


def _coroutine(plan: Plan, signature: inspect.Signature, function: Any) -> Any:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        requested = plan.requested(signature, args, kwargs)
        stop = first_stop(await plan.guard.acheck_messages(requested))
        if stop is not None:
            return await _aanswer(plan, stop)
        result = function(*args, **kwargs)
        return await (_awaited(plan, result) if plan.output else result)

    return call


def _generator(plan: Plan, signature: inspect.Signature, function: Any) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        requested = plan.requested(signature, args, kwargs)
        stop = first_stop(plan.guard.check_messages(requested))
        if stop is not None:
            yield answer_to(stop, plan.on_block)
            return None
        result = function(*args, **kwargs)
        return (yield from (_held(plan, result) if plan.output else result))

    return call


def _async_generator(plan: Plan, signature: inspect.Signature, function: Any) -> Any:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        requested = plan.requested(signature, args, kwargs)
        stop = first_stop(await plan.guard.acheck_messages(requested))
        if stop is not None:
            yield await _aanswer(plan, stop)
            return
        result = function(*args, **kwargs)
        source = _held(plan, result) if plan.output else result
        try:
            async for item in source:
                yield item
        finally:
            await source.aclose()

    return call


async def _awaited(plan: Plan, pending: Awaitable[Any]) -> Any:
    result = await pending
    if _is_stream(result):
        return _held(plan, result)
    stop = first_stop(await plan.guard.acheck_messages(plan.answered(result)))
    return result if stop is None else await _aanswer(plan, stop)


async def _aanswer(plan: Plan, stop: Verdict) -> Any:
    answer = answer_to(stop, plan.on_block)
    return await answer if inspect.isawaitable(answer) else answer


def _held(plan: Plan, source: Any) -> Any:
    stream = plan.stream()
    if isinstance(source, AsyncIterable):
        return aheld_chunks(stream, source, plan.delta, plan.on_block)
    return held_chunks(stream, source, plan.delta, plan.on_block)


def _is_stream(result: object) -> bool:
    """Whether a result comes item by item: what has a length, or fields, is there as a whole."""
    if isinstance(result, Iterator | AsyncIterable):
        return True
    unsized = isinstance(result, Iterable) and not isinstance(result, Sized)
    return unsized and as_mapping(result) is None


def _by_name(bound: inspect.BoundArguments) -> dict[str, Any]:
    """Arguments by name, those caught by `**kwargs` too."""
    caught = [name for name, kind in _kinds(bound) if kind is inspect.Parameter.VAR_KEYWORD]
    extra = [bound.arguments.get(name, {}) for name in caught]
    return {name: each[name] for each in extra for name in each} | dict(bound.arguments)


def _values(bound: inspect.BoundArguments) -> Iterator[Any]:
    """Every argument, those caught by `*args` and `**kwargs` one by one."""
    for name, kind in _kinds(bound):
        value = bound.arguments.get(name)
        if kind is inspect.Parameter.VAR_KEYWORD:
            yield from (value or {}).values()
        elif kind is inspect.Parameter.VAR_POSITIONAL:
            yield from value or ()
        else:
            yield value


def _kinds(bound: inspect.BoundArguments) -> list[tuple[str, Any]]:
    return [(name, each.kind) for name, each in bound.signature.parameters.items()]


def _messages(value: Any, source: Source, name: str) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, str):
        return [(source, value)]
    if is_part(value):
        return [(source, [value])]
    if looks_like_message(value):
        return [value]
    if isinstance(value, list | tuple):
        return owned([(source, [each]) if is_part(each) else each for each in value], source)
    raise InputError(
        f"{name} is of type {type(value).__name__}, neither a text nor a list of messages; pass "
        "a function that finds its text as extract= (of a result: as output=)"
    )


def _is_prompt(value: object) -> bool:
    if isinstance(value, list | tuple):
        return any(is_pair(each) or _is_text(each) for each in value)
    return _is_text(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) or is_part(value) or looks_like_message(value)


def _refuse_unknown_names(plan: Plan, signature: inspect.Signature, function: str) -> None:
    names = signature.parameters
    if any(each.kind is inspect.Parameter.VAR_KEYWORD for each in names.values()):
        return
    for name in plan.prompts or ():
        if name not in names:
            known = ", ".join(names) or "none at all"
            raise InputError(f"{function} has no argument {name!r}; it has {known}")


def _refuse_absent_names(
    prompts: Collection[str], given: Mapping[str, Any], signature: inspect.Signature
) -> None:
    """With `**kwargs` any name may be right; when all are absent, they are misspelt."""
    if prompts and not any(name in given or name in signature.parameters for name in prompts):
        raise InputError(
            f"the call has none of the prompts {', '.join(prompts)}, and nothing was checked; it "
            f"has {', '.join(given) or 'no arguments'}"
        )
