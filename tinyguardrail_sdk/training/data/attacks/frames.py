"""The choice of a frame, and which frames training must never see."""

from __future__ import annotations

import random
import zlib

from tinyguardrail_sdk.training.data.grammar import Grammar

_HELD_OUT_PER_CENT = 12


def is_held_out(family: str) -> bool:
    """Whether a frame family is kept for testing; stable across runs, machines and versions."""
    return zlib.crc32(f"heldout/{family}".encode()) % 100 < _HELD_OUT_PER_CENT


class Frames:
    """The frames of a grammar, parted into those for training and those for testing.

    A frame is a symbol named `frame:<technique>/<name>`; its family is `<kind>:<technique>/<name>`.

    Args:
        grammar: Where the frames are.
        kind: The generator's name, first part of every family.
        prefix: Which symbols are frames.
    """

    def __init__(self, grammar: Grammar, kind: str, prefix: str = "frame:") -> None:
        self.kind = kind
        self._parts: dict[bool, dict[str, list[str]]] = {False: {}, True: {}}
        for symbol in grammar.symbols(prefix):
            technique = symbol.removeprefix("frame:").split("/")[0]
            held_out = is_held_out(self.family(symbol))
            self._parts[held_out].setdefault(technique, []).append(symbol)

    def family(self, symbol: str) -> str:
        """The split key of a frame."""
        return f"{self.kind}:{symbol.removeprefix('frame:')}"

    def all(self, *, heldout: bool) -> list[str]:
        """Every frame of one side of the split."""
        return [symbol for frames in self._parts[heldout].values() for symbol in frames]

    def pick(self, rng: random.Random, *, heldout: bool) -> tuple[str, str]:
        """Draw a frame; return its symbol and technique.

        Techniques weigh by the square root of their frames, so that rare ones are seen too.
        """
        parts = self._parts[heldout]
        techniques = list(parts)
        weights = [len(parts[technique]) ** 0.5 for technique in techniques]
        technique = rng.choices(techniques, weights)[0]
        return rng.choice(parts[technique]), technique
