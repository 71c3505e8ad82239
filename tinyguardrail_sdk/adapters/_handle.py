"""The way back from a guard that was put on an object: what was replaced, as it was before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tinyguardrail_sdk.adapters._twins import ABSENT
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import GuardrailError
from tinyguardrail_sdk.holdback import Delay

ClientT = TypeVar("ClientT")

MARK = "__tinyguardrail_handle__"


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
            if before is ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

    def put(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute of an instance until `undo`, also where its class has a property."""
        if isinstance(getattr(type(owner), name, None), property):
            # A property comes before what the instance has; a class of its own comes before both.
            kind = type(owner)
            self._put.append((owner, "__class__", kind))
            owner.__class__ = type(kind.__name__, (kind,), {name: property(lambda _: value)})
            return
        self._put.append((owner, name, vars(owner).get(name, ABSENT)))
        setattr(owner, name, value)

    def before(self, owner: Any) -> dict[str, Any]:
        """Return what was put on an instance, as it was before; `ABSENT` for what it had not."""
        return {name: value for each, name, value in self._put if each is owner}

    def __enter__(self) -> ClientT:
        return self.client

    def __exit__(self, *_: object) -> None:
        self.undo()


def handle_on(client: ClientT, guard: Checker, delay: Delay | None) -> Handle[ClientT] | None:
    """Return the handle with the same guard that is on a client already, if any.

    Raises:
        GuardrailError: There is another one.
    """
    # By name, for some keep what is set on them in another object.
    known: Handle[ClientT] | None = getattr(client, MARK, None)
    if known is None or (known.guard, known.client, known.delay) == (guard, client, delay):
        return known
    raise GuardrailError("it is guarded already in another way; undo() that one first")
