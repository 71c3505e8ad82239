"""What a long work tells of how far it is; `counting` shows it."""

from collections.abc import Callable

# Told the number done and that of all.
Progress = Callable[[int, int], None]
# As `Progress`, for a work of several parts: the part's name comes first.
PartsProgress = Callable[[str, int, int], None]


def part_of(progress: PartsProgress | None, name: str) -> Progress | None:
    """What the part `name` of a work tells, where anybody wants to know."""
    return None if progress is None else lambda done, total: progress(name, done, total)
