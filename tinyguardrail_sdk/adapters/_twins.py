"""What a guarded method is sent with: its object, as if nobody had put a guard on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

ABSENT = object()


def twin_of(owner: Any, before: Callable[[], Mapping[str, Any]]) -> Any:
    """Return an object that has the state of another one, later changes too, but not its guard.

    So a method of the client that calls another one is checked once. The twin's own `__dict__` is
    empty but for what a cached property keeps there, which belongs to the twin alone: what it makes
    has no guard. So read attributes by name; `vars` and `copy.copy` find none.

    Args:
        owner: The other one; what is set on the twin is set on it.
        before: Gives the attributes that the guard replaced, as they were: `ABSENT` where only the
            class has them.
    """
    kind: Any = type(owner)

    def get(twin: Any, name: str) -> Any:
        replaced = before()
        own = (replaced if name in replaced else vars(owner)).get(name, ABSENT)
        is_ruled = hasattr(getattr(kind, name, None), "__set__")  # by a property, say
        return kind.__getattribute__(twin, name) if own is ABSENT or is_ruled else own

    space = {
        "__module__": kind.__module__,
        "__getattribute__": get,
        "__setattr__": lambda twin, name, value: setattr(owner, name, value),
        "__delattr__": lambda twin, name: delattr(owner, name),
        "__del__": lambda twin: None,  # some clients close when they are forgotten
    }
    metaclass: Any = type(kind)
    return object.__new__(metaclass(kind.__name__, (kind,), space))
