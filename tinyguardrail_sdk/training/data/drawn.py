"""A sample of rows that pass by, however many they are."""

from __future__ import annotations

import random

from tinyguardrail_sdk.training.data.schema import Example


class Drawn:
    """Rows drawn evenly from all that were added.

    Args:
        most: Rows kept; all, in order, where no more were added.
        seed: Of the draw.

    Attributes:
        rows: The sample.
        passed: Rows added.
    """

    def __init__(self, most: int, seed: int = 0) -> None:
        self._most, self._random = most, random.Random(seed)
        self.rows: list[Example] = []
        self.passed = 0

    def add(self, example: Example) -> None:
        """Keep a row, in the place of an earlier one or not at all where there are enough."""
        self.passed += 1
        if len(self.rows) < self._most:
            self.rows.append(example)
        elif (place := self._random.randrange(self.passed)) < self._most:
            self.rows[place] = example
