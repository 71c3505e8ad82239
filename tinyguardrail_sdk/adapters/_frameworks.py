"""What adapters share: imports on demand, verdicts that raise, judging copies."""

from __future__ import annotations

import copy
import functools
import importlib
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeVar

from tinyguardrail_sdk.checker import Checker, first_stop
from tinyguardrail_sdk.errors import Blocked, GuardrailError
from tinyguardrail_sdk.holdback import Delay

T = TypeVar("T")
Method = Callable[..., Any]
# The name of a method, and what makes of it one that judges; of None, the method is taken away.
Judging = tuple[tuple[str, Callable[[Method], Method] | None], ...]

_KEY = "__tinyguardrail__"


def require(module: str, extra: str) -> Any:
    """Import a client or a framework.

    Raises:
        ImportError: It is not installed; the message has the line that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"the adapter needs {module}: pip install 'tinyguardrail-sdk[{extra}]'"
        ) from error


def refuse(guard: Checker, messages: Iterable[Any]) -> None:
    """Judge messages as `Guard.check_messages` does.

    Raises:
        Blocked: One of them must not go on.
        InputError: As `Guard.check_messages`.
    """
    stop = first_stop(guard.check_messages(messages))
    if stop is not None:
        raise Blocked(stop)


async def arefuse(guard: Checker, messages: Iterable[Any]) -> None:
    """Like `refuse`, off the event loop."""
    stop = first_stop(await guard.acheck_messages(messages))
    if stop is not None:
        raise Blocked(stop)


def judging_copy(given: T, guard: Checker, delay: Delay | None, judging: Judging) -> T:
    """Return a shallow copy of an object some of whose methods judge; a judging one as it is.

    Its class is a subclass of the object's, under the same name, and `judge_of(self)` gives the
    guard and the delay. Copies of it judge as well, pickled ones too. A method that calls another
    one is judged once, for the original ones are called on a view of the copy that does not judge.

    Raises:
        GuardrailError: Another guard is on it already.
    """
    known = vars(given).get(_KEY)
    if known is not None:
        if known == (guard, delay):
            return given
        name = type(given).__name__
        raise GuardrailError(f"{name} is guarded already in another way; pass the original")
    made = copy.copy(given)
    own: Any = type(given)
    made.__class__ = _judging_class(own, judging)
    vars(made)[_KEY] = (guard, delay)
    return made


def judge_of(copied: Any) -> tuple[Checker, Delay | None]:
    """Return who judges in a `judging_copy`, and how much of a stream is held back."""
    judge: tuple[Checker, Delay | None] = vars(copied)[_KEY]
    return judge


@functools.cache
def _judging_class(own: type[Any], judging: Judging) -> type[Any]:
    # Not a mixin beside the class: then the copy could not change to it.
    space: dict[str, Any] = {"__module__": own.__module__, "__qualname__": own.__qualname__}
    absent = [name for name, make in judging if make is None]
    space["__annotations__"] = dict.fromkeys(absent, ClassVar[None])  # for pydantic
    for name, make in judging:
        space[name] = None if make is None else make(_on_view(own, getattr(own, name)))
    space["__reduce__"] = functools.partialmethod(_reduced, own, judging)
    metaclass: Any = type(own)
    made: type[Any] = metaclass(own.__name__, (own,), space)
    return made


def _reduced(copied: Any, own: type[Any], judging: Judging) -> tuple[Any, ...]:
    """How a copy is pickled: its class cannot be imported, that of the object can."""
    plain = copy.copy(view_of(copied, own))
    guard, delay = vars(plain).pop(_KEY)
    return judging_copy, (plain, guard, delay, judging)


def _on_view(own: type[Any], original: Method) -> Method:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return original(view_of(self, own), *args, **kwargs)

    return call


def view_of(copied: Any, own: type[Any]) -> Any:
    """Return an object of the class before, that has its state in common with the copy."""
    view = object.__new__(own)
    object.__setattr__(view, "__dict__", vars(copied))
    for base in own.__mro__:
        for slot in vars(base).get("__slots__", ()):
            if slot not in ("__dict__", "__weakref__") and hasattr(copied, slot):
                object.__setattr__(view, slot, getattr(copied, slot))
    return view
