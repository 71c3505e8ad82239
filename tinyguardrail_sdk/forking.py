"""Objects with locks and threads begin anew in a forked child.

Its only thread is the one that forked: a lock may be held by one that does not exist there, and a
pool has no threads.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Renewable(Protocol):
    """What has to be made again in a forked child."""

    def renew(self) -> None:
        """Drop locks, threads and sessions, and be as if new; called in the child."""
        ...


_renewable: weakref.WeakSet[Renewable] = weakref.WeakSet()


def renew_after_fork(instance: Renewable) -> None:
    """Have `instance.renew()` called in every child forked from now on, while it lives."""
    _renewable.add(instance)


def _in_child() -> None:
    for instance in list(_renewable):
        instance.renew()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_in_child)
